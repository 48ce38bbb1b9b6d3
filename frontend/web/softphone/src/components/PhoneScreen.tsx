// The whole phone for one snapshot. Knows no client: tests and the gallery show it with fixed data.

import { Keyboard, KeyRound, LogOut } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import {
  activeCall,
  canDial,
  displayedCall,
  displayedPhase,
  findCall,
  InvalidNumber,
  type MicrophoneProblem,
  otherCalls,
  type PhoneBookEntry,
  waitingCall,
} from "sip-proxy-client";
import { readNumber } from "../phone/number";
import type { Snapshot } from "../phone/snapshot";
import { usePhoneKeys } from "../phone/usePhoneKeys";
import type { Recordings } from "../phone/useRecordings";
import {
  ACCOUNT,
  announcementOf,
  messageOf,
  missingDevicesOf,
  numberFaultMessage,
  PROBLEMS,
  SIGN_OUT,
  SILENT_PAGE,
  SOUNDLESS_MEDIA,
  TYPE_A_NUMBER,
} from "../texts";
import { Account } from "./Account";
import { ActiveCall } from "./ActiveCall";
import type { PhoneActions } from "./actions";
import { CallButtons, IdleButtons } from "./CallButtons";
import { CallEnded, OtherDeviceCalls } from "./CallEnded";
import { callNotice } from "./CallNotice";
import { CallPreferences } from "./CallPreferences";
import { CallTools } from "./CallTools";
import { ConnectionLost } from "./ConnectionLost";
import { Devices } from "./Devices";
import { Dialler } from "./Dialler";
import { DialPad } from "./DialPad";
import { KeyboardShortcuts } from "./KeyboardShortcuts";
import { NotificationChoice, NotificationHint } from "./NotificationHint";
import { OtherCalls, WaitingCall } from "./OtherCalls";
import { People } from "./People";
import { type FormKind, TransferForm } from "./TransferForm";
import { useNow } from "./time";
import { VoicemailBadge, VoicemailHint } from "./VoicemailHint";

export interface PhoneScreenProps {
  user: string;
  phoneBook: readonly PhoneBookEntry[];
  recordable: boolean; // the server records calls
  recordings: Recordings;
  snapshot: Snapshot;
  actions: PhoneActions;
  microphoneProblem: MicrophoneProblem | null; // found by trying it without a call
  speakerSelectable: boolean;
  now?: number; // fixed, for pictures
  number?: string; // written at the start
  refused?: boolean; // at the start: it was to be called, and is none
  form?: FormKind; // at the start
}

export function PhoneScreen(props: PhoneScreenProps) {
  const { user, phoneBook, recordable, recordings, snapshot, actions, microphoneProblem, speakerSelectable, now } =
    props;
  const [number, setNumber] = useState(props.number ?? "");
  const [refused, setRefused] = useState(props.refused ? readNumber(props.number ?? "") : null); // what is written, once it was to be called
  const [requestedForm, setRequestedForm] = useState<{ what: FormKind; id: string | null } | null>(
    props.form ? { what: props.form, id: snapshot.activeId } : null,
  );
  const [read, setRead] = useState(""); // the message about missing devices that has been dismissed
  const [view, setView] = useState<"pad" | "people">("pad");
  const [help, setHelp] = useState(false);
  const [account, setAccount] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const minute = useNow(15_000);
  const { link, lastEndedCall, userState } = snapshot;
  const [active, shown, waiting, others] = [
    activeCall(snapshot),
    displayedCall(snapshot),
    waitingCall(snapshot),
    otherCalls(snapshot),
  ];
  const phase = displayedPhase(snapshot);
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
  /** The number that is typed; null if it is not one: a message says so, and it can be corrected. */
  const numberIn = (written: string): string | null => {
    const read = readNumber(written);
    if (!(read instanceof InvalidNumber)) return read;
    setNumber(written);
    setRefused(read);
    return null;
  };
  const missing = missingDevicesOf(snapshot.missing);
  const missingDevices = missing && `${missing.text} ${missing.advice}` !== read ? missing : null;
  const fault = refused instanceof InvalidNumber ? numberFaultMessage(refused) : null;

  // What was asked about a call that has ended, or is not on the stage any more, is over.
  const talking = active?.phase === "accepted" && active.transferring === null;
  const form = talking && !waiting && requestedForm?.id === active.id ? requestedForm.what : null; // a waiting call comes first
  const openForm = (what: FormKind | null): void => {
    setRequestedForm(what && { what, id: snapshot.activeId });
    write("");
  };
  const canOpenForm = talking && !lost;
  const onFormChoice = (how: "now" | "first" | "never"): void => {
    if (how === "never") return openForm(null);
    const target = number.trim() && numberIn(number);
    if (!target) return;
    if (how === "now") (form === "transfer" ? actions.transfer : actions.addParty)(target);
    else actions.call(target, form === "transfer" ? active?.id : undefined);
    openForm(null);
  };

  // A user who types a number is about to call it.
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
    if (form) actions.playTone(pressed);
    else actions.pressKey(pressed);
    if (live && !form) return;
    setNumber((value) => value + pressed);
    setRefused(null);
  };
  const togglePeople = (): void => {
    if (view === "pad") actions.markCallsSeen();
    setView(view === "pad" ? "people" : "pad");
  };
  const choose = (target: string): void => (form ? write(target) : dial(target));
  usePhoneKeys({
    active,
    waiting,
    otherCalls: others,
    isFormOpen: form !== null,
    canOpenForm,
    actions,
    openForm,
    dial: again,
    write: key,
    help: () => setHelp(true),
    search: () => setView("people"),
  });
  useEffect(() => {
    if (live) setView("pad");
    else if (window.matchMedia?.("(pointer: fine)").matches) field.current?.focus();
  }, [live]);

  // A call that another page has taken is shown as that, not as one that has ended here.
  const taken = lastEndedCall?.problem === "accepted_elsewhere" || lastEndedCall?.problem === "owned_elsewhere";
  const otherDeviceCalls = !live && (!lastEndedCall || taken) ? snapshot.otherDeviceCalls : [];
  const consulted = active?.phase === "accepted" && active.consultsId ? findCall(snapshot, active.consultsId) : null;
  const people = (
    <People
      user={user}
      history={snapshot.history}
      people={userState.people}
      phoneBook={phoneBook}
      recordings={recordings}
      now={now ?? minute}
      missed={snapshot.missedCount}
      hasOlderCalls={snapshot.hasOlderCalls}
      disabled={live && !form}
      verb={form ? "Choose" : "Call"}
      onCall={choose}
      onLoadOlder={actions.loadOlderCalls}
      onSeen={actions.markCallsSeen}
    />
  );
  return (
    <main
      className="phone"
      data-testid="phone"
      data-state={phase}
      data-outcome={phase === "ended" ? (lastEndedCall?.outcome ?? lastEndedCall?.problem ?? "") : ""}
      data-tone={phase === "ended" && lastEndedCall ? messageOf(lastEndedCall)?.tone : undefined}
      data-view={view}
      data-registered={snapshot.registered}
      data-sound={active && SOUNDLESS_MEDIA.has(active.media) ? "lost" : undefined}
      data-held={active?.held || undefined}
      data-calls={snapshot.calls.length}
    >
      <h1 className="hidden">Softphone</h1>
      <p className="hidden" role="status" aria-live={incoming ? "assertive" : "polite"}>
        {announcementOf(shown, otherDeviceCalls.length)}
      </p>
      <div className="people-side">{people}</div>
      <div className="device">
        <header className="bar">
          <CallPreferences
            user={user}
            userState={userState}
            link={link}
            registered={snapshot.registered}
            onChange={actions.setPreferences}
          />
          <span className="bar-actions">
            <VoicemailBadge voicemail={userState.voicemail} disabled={live} onCall={dial} />
            <button
              type="button"
              className="icon-button wide-only"
              onClick={() => setHelp(true)}
              aria-label="Keys"
              title="Keys (?)"
            >
              <Keyboard size={18} />
            </button>
            {actions.account && (
              <button
                type="button"
                className="icon-button"
                onClick={() => setAccount(true)}
                disabled={live}
                aria-label={ACCOUNT.title}
                title={ACCOUNT.title}
              >
                <KeyRound size={18} />
              </button>
            )}
            <button
              type="button"
              className="icon-button"
              onClick={actions.signOut}
              disabled={live}
              aria-label={SIGN_OUT}
              title={SIGN_OUT}
            >
              <LogOut size={18} />
            </button>
          </span>
        </header>
        <section className="stage" aria-label="Call">
          <datalist id="numbers">
            {phoneBook.map((entry) => (
              <option key={entry.number} value={entry.number}>
                {entry.name}
              </option>
            ))}
          </datalist>
          {active ? (
            <ActiveCall
              call={active}
              quality={snapshot.quality}
              outputLevel={actions.outputLevel}
              now={now}
              onDrop={actions.dropParty}
              notice={
                waiting
                  ? null
                  : callNotice({
                      user,
                      snapshot,
                      actions,
                      now,
                      missingDevices,
                      onDismissDevices: () => setRead(`${missing?.text} ${missing?.advice}`),
                    })
              }
              isCompact={form !== null}
              isTight={others.length > 0}
              below={
                form ? (
                  <TransferForm
                    kind={form}
                    call={active}
                    others={others.filter((call) => call.phase === "accepted")}
                    number={number}
                    nameOf={nameOf}
                    fault={fault}
                    actions={actions}
                    onNumber={write}
                    onDone={() => openForm(null)}
                    onEnter={() => onFormChoice("now")}
                  />
                ) : waiting ? (
                  <WaitingCall call={waiting} active={active} actions={actions} />
                ) : (
                  <div className="stage-tools">
                    <OtherCalls
                      calls={others}
                      nobodyTalking={active.held || active.phase === "incoming"}
                      now={now}
                      onSwap={actions.switchTo}
                    />
                    {active.phase === "accepted" && (
                      <CallTools
                        call={active}
                        recordable={recordable}
                        reachable={!lost}
                        isFull={!canDial(snapshot)}
                        actions={actions}
                        onOpenForm={openForm}
                      />
                    )}
                  </div>
                )
              }
            />
          ) : (
            <Dialler
              field={field}
              number={number}
              wrong={fault !== null}
              onNumber={write}
              onEnter={again}
              below={
                fault ? (
                  <p className="hint hint-bad" role="alert" data-testid="message">
                    <strong>{fault.text}</strong> {fault.advice}
                  </p>
                ) : otherDeviceCalls.length > 0 ? (
                  <OtherDeviceCalls
                    calls={otherDeviceCalls}
                    justTaken={taken}
                    now={now}
                    onTakeOver={actions.takeOver}
                  />
                ) : lastEndedCall ? (
                  <CallEnded
                    key={lastEndedCall.id}
                    call={lastEndedCall}
                    onCallAgain={() => dial(lastEndedCall.number)}
                    onDismiss={actions.clearLastCall}
                    onRate={actions.rate}
                  />
                ) : lost ? (
                  <ConnectionLost since={snapshot.linkLostAt} now={now} onRetry={actions.reconnect} />
                ) : microphoneProblem ? (
                  <p className="hint hint-bad" data-testid="message">
                    <strong>{PROBLEMS[microphoneProblem].text}</strong> {PROBLEMS[microphoneProblem].advice}
                  </p>
                ) : snapshot.soundBlocked ? (
                  <p className="hint hint-bad" data-testid="message">
                    <strong>{SILENT_PAGE.text}</strong> {SILENT_PAGE.advice}
                  </p>
                ) : userState.voicemail?.new && !writes ? (
                  <VoicemailHint voicemail={userState.voicemail} onCall={dial} />
                ) : missingDevices && !writes ? (
                  <p className="hint" role="status" data-testid="message">
                    <strong>{missingDevices.text}</strong> {missingDevices.advice}
                  </p>
                ) : snapshot.notifications === "ask" && snapshot.registered && !writes ? (
                  <NotificationHint actions={actions} />
                ) : (
                  <p className="hint">{nameOf(number) ?? TYPE_A_NUMBER}</p>
                )
              }
            />
          )}
        </section>
        <div className="middle">
          <DialPad tones={live && !incoming && !form} disabled={incoming || phase === "connecting"} onKey={key} />
          <div className="people-inside">{people}</div>
        </div>
        {active ? (
          <CallButtons
            call={active}
            consultedCall={consulted}
            form={form}
            number={number}
            actions={actions}
            onFormChoice={onFormChoice}
          />
        ) : (
          <IdleButtons
            view={view}
            missed={snapshot.missedCount}
            disabled={!number.trim() && snapshot.history.length === 0}
            onView={togglePeople}
            onCall={again}
          />
        )}
        <footer>
          <Devices
            devices={snapshot.devices}
            chosen={snapshot.chosen}
            missing={snapshot.missing}
            open={snapshot.microphoneOpen}
            muted={active?.muted ?? false}
            speakerSelectable={speakerSelectable}
            inputLevel={actions.inputLevel}
            onTry={actions.tryMicrophone}
            onMicrophone={actions.chooseMicrophone}
            onSpeaker={actions.chooseSpeaker}
            onRing={actions.chooseRing}
            onTest={live ? undefined : actions.testConnection}
            more={<NotificationChoice state={snapshot.notifications} actions={actions} />}
          />
        </footer>
      </div>
      <KeyboardShortcuts open={help} onClose={() => setHelp(false)} />
      {actions.account && (
        <Account user={user} open={account} actions={actions.account} onClose={() => setAccount(false)} />
      )}
    </main>
  );
}
