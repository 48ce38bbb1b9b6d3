// The whole phone as it looks for one snapshot. Knows no engine: tests and the gallery give it fixed data.

import { Keyboard, LogOut } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { activeOf, asideOf, canDial, findCall, InvalidNumber, type MicrophoneProblem, phaseOf, type PhoneBookEntry, shownOf, waitingOf } from "sip-proxy-client";
import { readNumber } from "../phone/number";
import type { Snapshot } from "../phone/snapshot";
import { PROBLEMS, SILENT_PAGE, SOUNDLESS, TYPE_A_NUMBER, announcementOf, messageOf, missingOf, noNumber } from "../texts";
import type { PhoneActions } from "./actions";
import { CallButtons, FreeButtons } from "./CallButtons";
import { Devices } from "./Devices";
import { Dialler } from "./Dialler";
import { Elsewhere, Ending } from "./Ending";
import { LinkAway } from "./LinkAway";
import { noticeOf } from "./Notice";
import { NotificationChoice, NotificationHint } from "./NotificationHint";
import { OtherCalls, Waiting } from "./OtherCalls";
import { Pad } from "./Pad";
import { People } from "./People";
import { Shortcuts } from "./Shortcuts";
import { Stage } from "./Stage";
import { Target, type Asking } from "./Target";
import { useNow } from "./time";
import { Tools } from "./Tools";
import { usePhoneKeys } from "./usePhoneKeys";
import type { Recordings } from "./useRecordings";
import { VoicemailBadge, VoicemailHint } from "./VoicemailHint";
import { Wishes } from "./Wishes";

export interface PhoneScreenProps {
  user: string;
  phoneBook: readonly PhoneBookEntry[];
  recordable: boolean; // the server records calls
  recordings: Recordings;
  snapshot: Snapshot;
  actions: PhoneActions;
  microphoneProblem: MicrophoneProblem | null; // found by trying it outside of a call
  speakerSelectable: boolean;
  now?: number; // fixed, for pictures
  number?: string; // written at the start
  refused?: boolean; // at the start: it was to be called, and is none
  asking?: Asking; // at the start
}

export function PhoneScreen(props: PhoneScreenProps) {
  const { user, phoneBook, recordable, recordings, snapshot, actions, microphoneProblem, speakerSelectable, now } = props;
  const [number, setNumber] = useState(props.number ?? "");
  const [refused, setRefused] = useState(props.refused ? readNumber(props.number ?? "") : null); // what is written, once it was to be called
  const [wanted, setAsking] = useState<{ what: Asking; id: string | null } | null>(props.asking ? { what: props.asking, id: snapshot.activeId } : null);
  const [read, setRead] = useState(""); // what was said of devices that are not there
  const [view, setView] = useState<"pad" | "people">("pad");
  const [help, setHelp] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const minute = useNow(15_000);
  const { link, over, attended } = snapshot;
  const [active, shown, waiting, aside] = [activeOf(snapshot), shownOf(snapshot), waitingOf(snapshot), asideOf(snapshot)];
  const phase = phaseOf(snapshot);
  const live = active !== null;
  const incoming = phase === "incoming";
  const lost = link === "lost";
  const nameOf = (written: string): string | undefined => {
    const read = readNumber(written);
    return phoneBook.find((entry) => entry.number === read)?.name;
  };
  const write = (written: string): void => {
    setNumber(written);
    setRefused(null);
  };
  /** The number that stands there; null where it is none: that is said, and it can be corrected. */
  const numberIn = (written: string): string | null => {
    const read = readNumber(written);
    if (!(read instanceof InvalidNumber)) return read;
    setNumber(written);
    setRefused(read);
    return null;
  };
  const missing = missingOf(snapshot.missing);
  const gone = missing && `${missing.text} ${missing.advice}` !== read ? missing : null;
  const fault = refused instanceof InvalidNumber ? noNumber(refused) : null;

  // What was asked about a call that has ended, or is not on the stage any more, is over.
  const talking = active?.phase === "accepted" && active.transferring === null;
  const asking = talking && !waiting && wanted?.id === active.id ? wanted.what : null; // who rings comes first
  const ask = (what: Asking | null): void => {
    setAsking(what && { what, id: snapshot.activeId });
    write("");
  };
  const askable = talking && !lost;
  const answered = (how: "now" | "first" | "never"): void => {
    if (how === "never") return ask(null);
    const target = number.trim() && numberIn(number);
    if (!target) return;
    if (how === "now") (asking === "transfer" ? actions.transfer : actions.addParty)(target);
    else actions.call(target, asking === "transfer" ? active?.id : undefined);
    ask(null);
  };

  // Who writes a number is about to call it.
  const writes = number.trim() !== "";
  useEffect(() => actions.expectCall(writes), [writes]);

  const dial = (written: string): void => {
    setView("pad");
    const target = numberIn(written);
    if (target === null) return;
    actions.call(target);
    write("");
  };
  const again = (): void => {
    if (number.trim()) dial(number);
    else if (snapshot.history[0]) write(snapshot.history[0].number); // an empty field repeats the last number
  };
  const key = (pressed: string): void => {
    if (asking) actions.tone(pressed);
    else actions.press(pressed);
    if (live && !asking) return;
    setNumber((value) => value + pressed);
    setRefused(null);
  };
  const look = (): void => {
    if (view === "pad") actions.callsSeen();
    setView(view === "pad" ? "people" : "pad");
  };
  const choose = (target: string): void => (asking ? write(target) : dial(target));
  usePhoneKeys({
    active, waiting, aside, asking: asking !== null, askable, actions, ask, dial: again, write: key,
    help: () => setHelp(true), search: () => setView("people"),
  });
  useEffect(() => {
    if (live) setView("pad");
    else if (window.matchMedia?.("(pointer: fine)").matches) field.current?.focus();
  }, [live]);

  // A call that another page has taken is shown as that, not as one that has ended here.
  const taken = over?.problem === "accepted_elsewhere" || over?.problem === "owned_elsewhere";
  const elsewhere = !live && (!over || taken) ? snapshot.elsewhere : [];
  const consulted = active?.phase === "accepted" && active.consults ? findCall(snapshot, active.consults) : null;
  const people = (
    <People
      user={user} history={snapshot.history} people={attended.people} phoneBook={phoneBook} recordings={recordings} now={now ?? minute}
      missed={snapshot.missed} hasOlder={snapshot.hasOlder} disabled={live && !asking} verb={asking ? "Choose" : "Call"} onCall={choose} onOlder={actions.olderCalls}
      onSeen={actions.callsSeen}
    />
  );
  return (
    <main
      className="phone" data-testid="phone" data-state={phase} data-outcome={phase === "ended" ? (over?.outcome ?? over?.problem ?? "") : ""}
      data-tone={phase === "ended" && over ? messageOf(over)?.tone : undefined} data-view={view} data-registered={snapshot.registered}
      data-sound={active && SOUNDLESS.has(active.media) ? "lost" : undefined} data-held={active?.held || undefined} data-calls={snapshot.calls.length}
    >
      <h1 className="hidden">Softphone</h1>
      <p className="hidden" role="status" aria-live={incoming ? "assertive" : "polite"}>{announcementOf(shown, elsewhere.length)}</p>
      <div className="people-side">{people}</div>
      <div className="device">
        <header className="bar">
          <Wishes user={user} attended={attended} link={link} registered={snapshot.registered} onChange={actions.prefer} />
          <span className="bar-actions">
            <VoicemailBadge voicemail={attended.voicemail} disabled={live} onCall={dial} />
            <button type="button" className="icon-button wide-only" onClick={() => setHelp(true)} aria-label="Keys" title="Keys (?)"><Keyboard size={18} /></button>
            <button type="button" className="icon-button" onClick={actions.signOut} disabled={live} aria-label="Sign out" title="Sign out"><LogOut size={18} /></button>
          </span>
        </header>
        <section className="stage" aria-label="Call">
          <datalist id="numbers">
            {phoneBook.map((entry) => <option key={entry.number} value={entry.number}>{entry.name}</option>)}
          </datalist>
          {active ? (
            <Stage
              call={active} quality={snapshot.quality} remoteLevel={actions.remoteLevel} now={now} onDrop={actions.dropParty}
              notice={waiting ? null : noticeOf({ user, snapshot, actions, now, gone, onRead: () => setRead(`${missing?.text} ${missing?.advice}`) })} brief={asking !== null} tight={aside.length > 0}
              below={asking ? (
                <Target
                  asking={asking} call={active} others={aside.filter((call) => call.phase === "accepted")} number={number} nameOf={nameOf} fault={fault} actions={actions}
                  onNumber={write} onDone={() => ask(null)} onEnter={() => answered("now")}
                />
              ) : waiting ? (
                <Waiting call={waiting} active={active} actions={actions} />
              ) : (
                <div className="stage-tools">
                  <OtherCalls calls={aside} free={active.held || active.phase === "incoming"} now={now} onSwap={actions.swap} />
                  {active.phase === "accepted" && <Tools call={active} recordable={recordable} reachable={!lost} full={!canDial(snapshot)} actions={actions} onAsk={ask} />}
                </div>
              )}
            />
          ) : (
            <Dialler
              field={field} number={number} wrong={fault !== null} onNumber={write} onEnter={again}
              below={fault ? (
                <p className="hint hint-bad" role="alert" data-testid="message"><strong>{fault.text}</strong> {fault.advice}</p>
              ) : elsewhere.length > 0 ? (
                <Elsewhere seen={elsewhere} taken={taken} now={now} onBring={actions.bring} />
              ) : over ? (
                <Ending key={over.id} call={over} onAgain={() => dial(over.number)} onDismiss={actions.dismiss} onRate={actions.rate} />
              ) : lost ? (
                <LinkAway since={snapshot.linkLostAt} now={now} onTry={actions.tryNow} />
              ) : microphoneProblem ? (
                <p className="hint hint-bad" data-testid="message"><strong>{PROBLEMS[microphoneProblem].text}</strong> {PROBLEMS[microphoneProblem].advice}</p>
              ) : snapshot.soundBlocked ? (
                <p className="hint hint-bad" data-testid="message"><strong>{SILENT_PAGE.text}</strong> {SILENT_PAGE.advice}</p>
              ) : attended.voicemail?.new && !writes ? (
                <VoicemailHint voicemail={attended.voicemail} onCall={dial} />
              ) : gone && !writes ? (
                <p className="hint" role="status" data-testid="message"><strong>{gone.text}</strong> {gone.advice}</p>
              ) : snapshot.notifications === "ask" && snapshot.registered && !writes ? (
                <NotificationHint actions={actions} />
              ) : (
                <p className="hint">{nameOf(number) ?? TYPE_A_NUMBER}</p>
              )}
            />
          )}
        </section>
        <div className="middle">
          <Pad tones={live && !incoming && !asking} disabled={incoming || phase === "connecting"} onKey={key} />
          <div className="people-inside">{people}</div>
        </div>
        {active ? (
          <CallButtons call={active} consulted={consulted} asking={asking} number={number} actions={actions} onAnswered={answered} />
        ) : (
          <FreeButtons view={view} missed={snapshot.missed} disabled={!number.trim() && snapshot.history.length === 0} onView={look} onCall={again} />
        )}
        <footer>
          <Devices
            devices={snapshot.devices} chosen={snapshot.chosen} missing={snapshot.missing} open={snapshot.microphoneOpen} muted={active?.muted ?? false}
            speakerSelectable={speakerSelectable} ownLevel={actions.ownLevel} onTry={actions.tryMicrophone}
            onMicrophone={actions.chooseMicrophone} onSpeaker={actions.chooseSpeaker} onRing={actions.chooseRing}
            onTest={live ? undefined : actions.testConnection}
            more={<NotificationChoice state={snapshot.notifications} actions={actions} />}
          />
        </footer>
      </div>
      <Shortcuts open={help} onClose={() => setHelp(false)} />
    </main>
  );
}
