// The softphone page: who is signed in, the engine, and the screen.

import { useEffect, useState, useSyncExternalStore } from "react";
import { PhoneScreen } from "../components/PhoneScreen";
import type { Opinion } from "../components/Rating";
import { SignIn } from "../components/SignIn";
import { useOutOfSight } from "../components/useOutOfSight";
import { useRecordings } from "../components/useRecordings";
import { useSession } from "../components/useSession";
import type { MicrophoneProblem } from "../media/microphone";
import { relayWanted } from "../media/reach";
import { Voice } from "../media/voice";
import { activeOf } from "../phone/state";
import { Softphone } from "../phone/softphone";
import type { PhoneBookEntry, Session } from "../signalling/http";
import { socketUrl } from "../signalling/socket";

export function SoftphonePage() {
  const { config, unreachable, session, notice, busy, enter, leave } = useSession();
  const [phone, setPhone] = useState<Softphone | null>(null);
  const ready = config !== null && session !== null;
  useEffect(() => {
    if (!ready) return;
    const made = start(session, config.phoneBook, leave);
    setPhone(made);
    return () => {
      made.close();
      setPhone(null);
    };
  }, [ready, session?.user, session?.token]);

  if (config && session && phone) return <Running phone={phone} session={session} phoneBook={config.phoneBook} recordable={config.recording ?? false} rates={config.feedback ?? false} preflightNumber={config.preflightNumber ?? ""} onLeave={() => leave()} />;
  if (session && !unreachable) return <main className="sign-in" aria-busy="true"><p className="quiet">Starting the phone…</p></main>;
  return (
    <SignIn
      what="Softphone" authentication={config?.authentication ?? false} unreachable={unreachable} notice={notice} busy={busy || !config}
      onEnter={(user, password) => void enter(user, password)}
    />
  );
}

function start(session: Session, phoneBook: readonly PhoneBookEntry[], leave: (notice: string) => void): Softphone {
  const phone = new Softphone({ url: socketUrl(location), session, phoneBook, relayOnly: relayWanted(location.search), onSignedOut: leave });
  window.__phone = { peer: () => phone.media?.current?.connection ?? null, remoteStream: () => phone.media?.heard ?? null };
  return phone;
}

interface RunningProps {
  phone: Softphone;
  session: Session;
  phoneBook: readonly PhoneBookEntry[];
  recordable: boolean;
  rates: boolean; // the server keeps what people thought of a call
  preflightNumber: string;
  onLeave(): void;
}

function Running({ phone, session, phoneBook, recordable, rates, preflightNumber, onLeave }: RunningProps) {
  const snapshot = useSyncExternalStore(phone.subscribe, phone.getSnapshot);
  const [problem, setProblem] = useState<MicrophoneProblem | null>(window.isSecureContext ? null : "insecure_page");
  const { calls } = snapshot;
  const recordings = useRecordings(session.token, recordable, snapshot.history);
  const ringing = calls.find(({ phase }) => phase === "incoming");
  const { commands } = phone;
  useOutOfSight(ringing ?? activeOf(snapshot), calls.some((call) => call !== ringing), snapshot.aloud, {
    accept: (id) => phone.accept(id),
    decline: (id) => phone.decline(id),
    hangup: () => (activeOf(phone.snapshot)?.transferring ? commands.leave() : phone.hangup()), // a transfer goes on
  });
  return (
    <PhoneScreen
      user={session.user} phoneBook={phoneBook} recordable={recordable} recordings={recordings} snapshot={snapshot} microphoneProblem={problem} speakerSelectable={Voice.selectable}
      actions={{
        call: (number, consults) => phone.call(number, consults),
        expectCall: (likely) => phone.expectCall(likely),
        accept: (id, andEnd) => phone.accept(id, andEnd),
        decline: (id) => phone.decline(id),
        hangup: () => phone.hangup(),
        bring: () => phone.bring(),
        dismiss: () => phone.dismiss(),
        tryNow: phone.tryNow,
        ...(rates ? { rate: (id: string, opinion: Opinion) => phone.rate(id, opinion) } : {}),
        setMuted: (muted) => phone.setMuted(muted),
        prefer: (change) => phone.prefer(change),
        press: (key) => phone.press(key),
        tone: phone.tone,
        hold: (id, held) => commands.hold(id, held),
        swap: (id) => commands.swap(id),
        transfer: (target) => commands.transfer(target),
        connect: (id, toId) => commands.connect(id, toId),
        cancelTransfer: () => commands.cancelTransfer(),
        addParty: (target) => commands.addParty(target),
        merge: (fromId) => commands.merge(fromId),
        dropParty: (party) => commands.dropParty(party),
        leave: () => commands.leave(),
        record: (action) => commands.record(action),
        testConnection: () => phone.testConnection(preflightNumber),
        tryMicrophone: () => void phone.tryMicrophone().then((error) => setProblem(error?.problem ?? null)),
        chooseMicrophone: (id) => void phone.chooseMicrophone(id),
        chooseSpeaker: phone.chooseSpeaker,
        chooseRing: phone.chooseRing,
        ownLevel: phone.ownLevel,
        remoteLevel: phone.remoteLevel,
        signOut: onLeave,
      }}
    />
  );
}
