// The whole phone as it looks for one snapshot. Knows no engine: tests and the gallery give it fixed data.

import { BookUser, Delete, Grid3x3, Keyboard, LogOut, Mic, MicOff, Phone, PhoneOff } from "lucide-react";
import { useEffect, useRef, useState, type MouseEvent } from "react";
import { isLive, phaseOf } from "../phone/call";
import type { Snapshot } from "../phone/softphone";
import type { PhoneBookEntry } from "../signalling/http";
import { ELSEWHERE, LINK_LOST, LINK_WORDS, PROBLEMS, SOUNDLESS, STATE_WORDS, linkLostInCall, messageOf, seconds } from "../texts";
import type { MicrophoneProblem } from "../media/microphone";
import { Devices } from "./Devices";
import { Pad } from "./Pad";
import { People } from "./People";
import { Shortcuts } from "./Shortcuts";
import { Elsewhere, Ending, Stage } from "./Stage";
import { useNow } from "./time";
import { usePhoneKeys } from "./usePhoneKeys";

export interface PhoneActions {
  call(number: string): void;
  accept(): void;
  decline(): void;
  declineWaiting(): void;
  hangup(): void;
  bring(): void; // the call that another page holds
  dismiss(): void;
  setMuted(muted: boolean): void;
  press(key: string): void;
  tryMicrophone(): void;
  chooseMicrophone(id: string): void;
  chooseSpeaker(id: string): void;
  chooseRing(id: string): void;
  ownLevel(): number;
  remoteLevel(): number;
  signOut(): void;
}

export interface PhoneScreenProps {
  user: string;
  phoneBook: readonly PhoneBookEntry[];
  snapshot: Snapshot;
  actions: PhoneActions;
  microphoneProblem: MicrophoneProblem | null; // found by trying it outside of a call
  speakerSelectable: boolean;
  now?: number; // fixed, for pictures
  number?: string; // written at the start
}

export function PhoneScreen({ user, phoneBook, snapshot, actions, microphoneProblem, speakerSelectable, now, number: first = "" }: PhoneScreenProps) {
  const [number, setNumber] = useState(first);
  const [view, setView] = useState<"pad" | "people">("pad");
  const [help, setHelp] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const minute = useNow(15_000);
  const { call, waiting, link } = snapshot;
  const phase = phaseOf(snapshot);
  const live = isLive(call);
  const incoming = phase === "incoming";
  const tones = live && !incoming;

  const dial = (target: string): void => {
    actions.call(target);
    setView("pad");
    setNumber("");
  };
  const again = (): void => {
    if (number.trim()) dial(number);
    else if (snapshot.history[0]) setNumber(snapshot.history[0].number); // an empty field repeats the last number
  };
  const key = (pressed: string): void => {
    actions.press(pressed);
    if (!live) setNumber((value) => value + pressed);
  };
  usePhoneKeys({ live, incoming, muted: call?.muted ?? false, actions, dial: again, write: key, help: () => setHelp(true), search: () => setView("people") });
  useEffect(() => {
    if (live) setView("pad");
    else if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [live]);

  const lost = link === "lost";
  const second = useNow(1000, lost && live);
  // A call that another page has taken is shown as that, not as one that has ended here.
  const taken = call?.problem === "accepted_elsewhere" || call?.problem === "held_elsewhere";
  const elsewhere = !call || taken ? snapshot.elsewhere : null;
  const said = elsewhere
    ? ELSEWHERE
    : call
      ? [STATE_WORDS[call.phase], messageOf(call)?.text, call.phase === "incoming" ? call.name || call.number : ""].filter(Boolean).join(". ")
      : "";
  return (
    <main
      className="phone" data-testid="phone" data-state={phase} data-outcome={call?.phase === "ended" ? (call.outcome ?? call.problem ?? "") : ""}
      data-tone={call?.phase === "ended" ? messageOf(call)?.tone : undefined} data-view={view} data-registered={snapshot.registered}
      data-sound={live && SOUNDLESS.has(call.media) ? "lost" : undefined}
    >
      <h1 className="hidden">Softphone</h1>
      <p className="hidden" role="status" aria-live={incoming ? "assertive" : "polite"}>{said}</p>
      <div className="people-side"><People history={snapshot.history} phoneBook={phoneBook} now={now ?? minute} disabled={live} onCall={dial} /></div>
      <div className="device">
        <header className="bar">
          <span className="who"><b>{user}</b><span className={`link link-${snapshot.registered ? "open" : link}`} data-testid="connection">
            <i aria-hidden="true" />{snapshot.registered ? LINK_WORDS.open : lost ? LINK_WORDS.lost : LINK_WORDS.connecting}
          </span></span>
          <span className="bar-actions">
            <button type="button" className="icon-button wide-only" onClick={() => setHelp(true)} aria-label="Keys" title="Keys (?)"><Keyboard size={18} /></button>
            <button type="button" className="icon-button" onClick={actions.signOut} disabled={live} aria-label="Sign out" title="Sign out"><LogOut size={18} /></button>
          </span>
        </header>
        <section className="stage" aria-label="Call">
          {live ? (
            <Stage call={call} quality={snapshot.quality} soundBlocked={snapshot.soundBlocked} covered={lost} remoteLevel={actions.remoteLevel} now={now} />
          ) : (
            <>
              <form className="dialler" onSubmit={(event) => { event.preventDefault(); again(); }}>
                <input
                  ref={field} data-testid="number" className="number" value={number} onChange={(event) => setNumber(event.target.value)}
                  inputMode="tel" autoComplete="off" placeholder="Number" aria-label="Number to call" list="numbers" maxLength={80}
                />
                <datalist id="numbers">
                  {phoneBook.map((entry) => <option key={entry.number} value={entry.number}>{entry.name}</option>)}
                </datalist>
                <button type="button" className="icon-button" aria-label="Delete the last digit" onClick={() => setNumber((value) => value.slice(0, -1))} disabled={!number}><Delete size={20} /></button>
              </form>
              <div className="stage-below">
                {elsewhere ? (
                  <Elsewhere seen={elsewhere} taken={taken} now={now} onBring={actions.bring} />
                ) : call ? (
                  <Ending call={call} onAgain={() => dial(call.number)} onDismiss={actions.dismiss} />
                ) : lost ? (
                  <p className="hint hint-bad" role="alert" data-testid="link-message"><strong>{LINK_LOST}</strong></p>
                ) : microphoneProblem ? (
                  <p className="hint hint-bad" data-testid="message"><strong>{PROBLEMS[microphoneProblem].text}</strong> {PROBLEMS[microphoneProblem].advice}</p>
                ) : (
                  <p className="hint">{nameFor(number, phoneBook) ?? "Type a number, or choose one from the list."}</p>
                )}
              </div>
            </>
          )}
          {lost && live && (
            <p className="banner banner-link">
              <span role="alert" data-testid="link-message">{linkLostInCall(call)}</span>
              <span className="timer" data-testid="link-timer">{seconds((now ?? second) - (snapshot.linkLostAt ?? second))}</span>
            </p>
          )}
          {waiting && (
            <p className="banner banner-waiting" role="alert">
              <span>{waiting.name || waiting.number} is calling too</span>
              <button type="button" className="link" onClick={actions.declineWaiting}>Decline</button>
            </p>
          )}
        </section>
        <div className="middle">
          <Pad tones={tones} disabled={incoming || phase === "connecting"} onKey={key} />
          <div className="people-inside"><People history={snapshot.history} phoneBook={phoneBook} now={now ?? minute} disabled={live} onCall={dial} /></div>
        </div>
        <div className="actions">
          {incoming ? (
            <>
              <button key="decline" type="button" className="round red" data-testid="decline" onClick={actions.decline}><PhoneOff aria-hidden="true" /><span>Decline</span></button>
              <button key="accept" type="button" className="round green" data-testid="accept" onClick={actions.accept} autoFocus><Phone aria-hidden="true" /><span>Answer</span></button>
            </>
          ) : live ? (
            <>
              <button key="mute" type="button" className="round plain" data-testid="mute" aria-pressed={call.muted} onClick={() => actions.setMuted(!call.muted)}>
                {call.muted ? <MicOff aria-hidden="true" /> : <Mic aria-hidden="true" />}<span>{call.muted ? "Unmute" : "Mute"}</span>
              </button>
              <button key="hangup" type="button" className="round red" data-testid="hangup" onClick={once(actions.hangup)}><PhoneOff aria-hidden="true" /><span>Hang up</span></button>
            </>
          ) : (
            <>
              <button key="view" type="button" className="round plain narrow-only" aria-pressed={view === "people"} onClick={() => setView(view === "pad" ? "people" : "pad")}>
                {view === "pad" ? <BookUser aria-hidden="true" /> : <Grid3x3 aria-hidden="true" />}<span>{view === "pad" ? "Recent" : "Keypad"}</span>
              </button>
              <button key="call" type="button" className="round green" data-testid="call" onClick={once(again)} disabled={!number.trim() && snapshot.history.length === 0}><Phone aria-hidden="true" /><span>Call</span></button>
            </>
          )}
        </div>
        <footer>
          <Devices
            devices={snapshot.devices} chosen={snapshot.chosen} open={snapshot.microphoneOpen} muted={call?.muted ?? false}
            speakerSelectable={speakerSelectable} ownLevel={actions.ownLevel} onTry={actions.tryMicrophone}
            onMicrophone={actions.chooseMicrophone} onSpeaker={actions.chooseSpeaker} onRing={actions.chooseRing}
          />
        </footer>
      </div>
      <Shortcuts open={help} onClose={() => setHelp(false)} />
    </main>
  );
}

/** A double click counts once: Call and Hang up take each other's place between its two presses. */
function once(act: () => void): (event: MouseEvent) => void {
  return (event) => {
    if (event.detail < 2) act();
  };
}

function nameFor(number: string, phoneBook: readonly PhoneBookEntry[]): string | undefined {
  return phoneBook.find((entry) => entry.number === number.trim())?.name;
}
