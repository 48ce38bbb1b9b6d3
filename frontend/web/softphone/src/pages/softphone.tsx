// The softphone page: who is signed in, the phone, and the screen.

import { useEffect, useState } from "react";
import {
  activeCall,
  canChooseSpeaker,
  keyTones,
  type LiveCall,
  type MicrophoneProblem,
  type ServerConfig,
  type Session,
  type SIPProxyClient,
  SIPProxyError,
} from "sip-proxy-client";
import type { PhoneActions } from "../components/actions";
import type { Feedback } from "../components/CallRating";
import { ErrorBoundary } from "../components/ErrorBoundary";
import { ErrorScreen, PageErrorScreen } from "../components/ErrorScreen";
import { PhoneScreen } from "../components/PhoneScreen";
import { SignInPage } from "../components/SignInPage";
import { SecondFactorApi } from "../phone/secondFactor";
import * as stored from "../phone/signedIn";
import { signInAgain } from "../phone/signInAgain";
import { onWindowSignIn, openSignInWindow } from "../phone/singleSignOn";
import { type BackgroundActions, useBackgroundIndicators } from "../phone/useBackgroundIndicators";
import { type Phone, usePhone } from "../phone/usePhone";
import { useRecordings } from "../phone/useRecordings";
import { useSession } from "../phone/useSession";

export function SoftphonePage() {
  const state = useSession();
  const { config, unreachable, session, leave, signOut } = state;
  if (config && session)
    return <Running key={session.user} session={session} config={config} onLeave={leave} onSignOut={signOut} />;
  if (session && !unreachable)
    return (
      <main className="sign-in" aria-busy="true">
        <p className="quiet">Starting the phone…</p>
      </main>
    );
  return <SignInPage what="Softphone" authentication={config?.authentication ?? false} state={state} />;
}

interface RunningProps {
  session: Session;
  config: ServerConfig;
  onLeave(notice?: string): void;
  onSignOut(): void;
}

function Running({ session, config, onLeave, onSignOut }: RunningProps) {
  const { phoneBook, recording = false, feedback = false } = config;
  const phone = usePhone(session, phoneBook, onLeave);
  const { client, snapshot } = phone;
  const { calls } = snapshot;
  const [problem, setProblem] = useState<MicrophoneProblem | null>(window.isSecureContext ? null : "insecure_page");
  const recordings = useRecordings(client, recording, snapshot.history);
  const ringing = calls.find(({ phase }) => phase === "incoming");
  const actions = actionsOf(phone, session.user, feedback, setProblem, onSignOut);
  if (config.singleSignOn) actions.provider = { name: config.singleSignOn, signIn: openSignInWindow };
  useEffect(
    () =>
      onWindowSignIn(({ user, token }) => {
        if (user !== session.user || !token) return;
        stored.save({ user, token });
        client.updateToken(token);
      }),
    [client, session.user],
  );
  if (session.token !== null)
    actions.account = {
      minPasswordLength: config.minPasswordLength,
      secondFactor: new SecondFactorApi(client.http),
      changePassword: phone.changePassword,
    };
  useEffect(() => {
    window.__phone = {
      peer: () => client.activeCall?.connection ?? null,
      remoteStream: () => client.activeCall?.remoteStream ?? null,
    };
  }, [client]);
  // The phone lives here: what breaks below takes no call with it.
  return (
    <>
      <ErrorBoundary fallback={() => null}>
        <OutOfSight
          current={ringing ?? activeCall(snapshot)}
          talking={calls.some((call) => call !== ringing)}
          ringsHere={snapshot.ringsHere}
          missed={snapshot.missedCount}
          actions={{
            accept: (id) => void client.find(id)?.answer(),
            decline: (id) => client.find(id)?.reject(),
            hangup: () =>
              client.activeCall?.info.transferring ? client.activeCall.leave() : client.activeCall?.hangup(), // the transfer continues
          }}
        />
      </ErrorBoundary>
      <ErrorBoundary
        fallback={(retry) => (
          <ErrorBoundary fallback={() => <PageErrorScreen />}>
            <ErrorScreen snapshot={snapshot} actions={actions} onRetry={retry} />
          </ErrorBoundary>
        )}
      >
        <PhoneScreen
          user={session.user}
          phoneBook={phoneBook}
          recordable={recording}
          recordings={recordings}
          snapshot={snapshot}
          microphoneProblem={problem}
          speakerSelectable={canChooseSpeaker()}
          actions={actions}
        />
      </ErrorBoundary>
    </>
  );
}

interface OutOfSightProps {
  current: LiveCall | null;
  talking: boolean;
  ringsHere: boolean;
  missed: number;
  actions: BackgroundActions;
}

/** A component of its own, so that it may fail alone. */
function OutOfSight({ current, talking, ringsHere, missed, actions }: OutOfSightProps) {
  useBackgroundIndicators(current, talking, ringsHere, missed, actions);
  return null;
}

/** `rates`: the server keeps feedback on calls. */
function actionsOf(
  { client, playTone, loadOlderCalls, markCallsSeen, answerNotifications }: Phone,
  user: string,
  rates: boolean,
  setProblem: (problem: MicrophoneProblem | null) => void,
  onSignOut: () => void,
): PhoneActions {
  const active = (): ReturnType<SIPProxyClient["find"]> => client.activeCall;
  return {
    call: (number, consults) => {
      const about = consults ? client.find(consults) : null;
      attempt(() => client.call(number, about ? { consults: about } : {}));
    },
    expectCall: (likely) => client.expectCall(likely),
    accept: (id = client.state.activeId ?? "", andEnd = false) => {
      if (andEnd) active()?.hangup();
      void client.find(id)?.answer();
    },
    decline: (id = client.state.activeId ?? "") => client.find(id)?.reject(),
    hangup: () => active()?.hangup(),
    loadOlderCalls,
    markCallsSeen,
    takeOver: () => client.takeOver(),
    clearLastCall: () => client.clearLastCall(),
    reconnect: () => client.reconnect(),
    ...(rates
      ? { rate: (id: string, opinion: Feedback) => void client.postFeedback(id, opinion).catch(() => undefined) }
      : {}),
    setMuted: (muted) => (muted ? active()?.mute() : active()?.unmute()),
    setPreferences: (change) => client.setPreferences(change),
    pressKey: (key) => {
      if (!keyTones(key)) return;
      playTone(key);
      void active()?.sendDTMF(key);
    },
    playTone,
    hold: (id, held) => void (held ? client.find(id)?.hold() : client.find(id)?.unhold()),
    switchTo: (id) => void client.find(id)?.unhold(),
    transfer: (target) => void active()?.transfer(target),
    connect: (id, toId) => {
      const [one, other] = [client.find(id), client.find(toId)];
      if (one && other) void one.attendedTransfer(other);
    },
    cancelTransfer: () => active()?.cancelTransfer(),
    addParty: (target) => void active()?.addParty(target),
    merge: (fromId) => {
      const from = client.find(fromId);
      if (from) void active()?.merge(from);
    },
    dropParty: (party) => void active()?.dropParty(party),
    leave: () => active()?.leave(),
    record: (action) => void active()?.record(action),
    testConnection: () => client.runPreflight(),
    tryMicrophone: () =>
      void client.openMicrophone().then(
        () => setProblem(null),
        (error: SIPProxyError) => setProblem(error.code as MicrophoneProblem),
      ),
    chooseMicrophone: (id) => void client.setMicrophone(id),
    chooseSpeaker: (id) => client.setSpeaker(id),
    chooseRing: (id) => client.setRingDevice(id),
    inputLevel: client.inputLevel,
    outputLevel: client.outputLevel,
    allowNotifications: () => answerNotifications(true),
    declineNotifications: () => answerNotifications(false),
    signOut: () => {
      client.close(); // hangs up, while it is still allowed
      onSignOut();
    },
    signInAgain: signInAgain(client, user),
  };
}

/** Ignores what cannot be done now; only keys can request it. */
function attempt(begin: () => unknown): void {
  try {
    begin();
  } catch (error) {
    if (!(error instanceof SIPProxyError)) throw error;
  }
}
