// Each state of the pages with fixed data, for pictures: /gallery.html#incoming. Not part of the built pages.

import type { ReactElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { activeCall, HttpApi } from "sip-proxy-client";
import { ChoosePassword } from "../components/ChoosePassword";
import { DashboardScreen } from "../components/DashboardScreen";
import { ErrorScreen } from "../components/ErrorScreen";
import { PhoneScreen } from "../components/PhoneScreen";
import { KeepRecoveryCodes, RequiredEnrolment, SecondFactor } from "../components/SecondFactor";
import { SignIn } from "../components/SignIn";
import type { FormKind } from "../components/TransferForm";
import type { Snapshot } from "../phone/snapshot";
import type { FactorMethod } from "../phone/useSession";
import { SECURITY_KEYS } from "../texts";
import "../styles/tokens.css";
import { NOTHING_YET } from "../dashboard/useDashboard";
import { ADMIN_STATES, adminState } from "./admin";
import { DASHBOARD } from "./dashboard";
import {
  ENROLMENT,
  FakeSecondFactor,
  RECOVERY_CODES,
  SECOND_FACTOR_WRONG,
  SIGN_IN_AGAIN_ACTIONS,
} from "./secondFactor";
import { NOW, PHONE_BOOK, RECORDINGS, STATES, TESTED, WRITTEN } from "./states";

const NOTICES: Record<string, string> = {
  "second-factor-wrong": SECOND_FACTOR_WRONG,
  "second-factor-key-refused": SECURITY_KEYS.notUsed,
};
const METHODS: Record<string, readonly FactorMethod[]> = {
  "second-factor-key": ["security_key", "recovery_code"],
  "second-factor-key-refused": ["totp", "security_key", "recovery_code"],
  "second-factor-no-key": ["recovery_code"],
};
const nothing = (): void => undefined;
const stateOf = (hash: string): string => hash.slice(1);
const quiet = (snapshot: Snapshot): boolean => Boolean(activeCall(snapshot)?.muted || activeCall(snapshot)?.held);
const askingOf = (state: string): { asking?: FormKind } =>
  state.startsWith("askTransfer") ? { asking: "transfer" } : state.startsWith("askAdd") ? { asking: "add" } : {};
const isDashboard = (state: string): boolean => state.startsWith("dashboard");
const pageOf = (state: string): "dashboard" | "admin" | "softphone" =>
  isDashboard(state) ? "dashboard" : state in ADMIN_STATES ? "admin" : "softphone";

const first = stateOf(location.hash);
// The pages never share a document: each takes its own sheets only.
switch (pageOf(first)) {
  case "softphone":
    await import("../styles/softphone.css");
    break;
  case "admin":
    await import("../styles/dashboard.css");
    await import("../styles/admin.css");
    break;
  case "dashboard":
    await import("../styles/dashboard.css");
}
const root = createRoot(document.getElementById("root")!);
show(first);
addEventListener("hashchange", () => {
  const state = stateOf(location.hash);
  if (pageOf(state) === pageOf(first)) show(state);
  else location.reload();
});

/** `data-shown` tells which state stands on the screen. */
function show(state: string): void {
  flushSync(() => root.render(screenOf(state)));
  const shown = (): void => {
    document.documentElement.dataset["shown"] = state;
  };
  // What the admin page asks for comes at once here, and is on the screen with the frame after the next.
  if (state in ADMIN_STATES) requestAnimationFrame(() => requestAnimationFrame(shown));
  else shown();
}

function screenOf(state: string): ReactElement {
  const snapshot = STATES[state];
  if (snapshot && state.startsWith("broken"))
    return (
      <ErrorScreen
        key={state}
        snapshot={snapshot}
        actions={{ accept: nothing, decline: nothing, hangup: nothing }}
        onRetry={nothing}
      />
    );
  if (snapshot) {
    return (
      <PhoneScreen
        key={state}
        user="1001"
        phoneBook={PHONE_BOOK}
        recordable
        recordings={RECORDINGS}
        snapshot={snapshot}
        microphoneProblem={state === "empty" ? "insecure_page" : null}
        speakerSelectable
        now={NOW}
        number={WRITTEN[state] ?? ""}
        refused={/refused(Number|Address)|Refused$/.test(state)}
        {...askingOf(state)}
        actions={{
          call: nothing,
          expectCall: nothing,
          accept: nothing,
          decline: nothing,
          hangup: nothing,
          loadOlderCalls: nothing,
          markCallsSeen: nothing,
          takeOver: nothing,
          clearLastCall: nothing,
          reconnect: nothing,
          rate: nothing,
          testConnection: () => Promise.resolve(TESTED),
          setMuted: nothing,
          setPreferences: nothing,
          pressKey: nothing,
          playTone: nothing,
          hold: nothing,
          switchTo: nothing,
          transfer: nothing,
          connect: nothing,
          cancelTransfer: nothing,
          addParty: nothing,
          merge: nothing,
          dropParty: nothing,
          leave: nothing,
          record: nothing,
          tryMicrophone: nothing,
          chooseMicrophone: nothing,
          chooseSpeaker: nothing,
          chooseRing: nothing,
          allowNotifications: nothing,
          declineNotifications: nothing,
          signOut: nothing,
          signInAgain: SIGN_IN_AGAIN_ACTIONS,
          account: {
            minPasswordLength: 12,
            secondFactor: new FakeSecondFactor(new HttpApi("")),
            changePassword: () => Promise.resolve("The old password is wrong."),
          },
          inputLevel: () => (snapshot.microphoneOpen && !quiet(snapshot) ? 0.55 : 0),
          outputLevel: () => 0.7,
        }}
      />
    );
  }
  if (isDashboard(state)) {
    const shown = state === "dashboard-empty" ? NOTHING_YET : DASHBOARD;
    return (
      <DashboardScreen
        key={state}
        state={shown}
        filter=""
        paused={false}
        now={NOW}
        onFilter={nothing}
        onPause={nothing}
        onSignOut={nothing}
      />
    );
  }
  if (state.startsWith("second-factor") || state === "enrolment") {
    const common = { notice: NOTICES[state] ?? "", busy: false, onCode: nothing, onCancel: nothing };
    return state === "enrolment" ? (
      <RequiredEnrolment enrolment={ENROLMENT} methods={["totp", "security_key"]} onNewKey={nothing} {...common} />
    ) : (
      <SecondFactor key={state} methods={METHODS[state] ?? ["totp", "recovery_code"]} onKey={nothing} {...common} />
    );
  }
  if (state === "recovery-codes") return <KeepRecoveryCodes codes={RECOVERY_CODES} onDone={nothing} />;
  if (state.startsWith("choose-password")) {
    return (
      <ChoosePassword
        user="1001"
        length={12}
        notice={
          state === "choose-password"
            ? ""
            : "The password is a common one, or made of one or of the name: it would be guessed."
        }
        busy={false}
        onChoose={nothing}
        onCancel={nothing}
      />
    );
  }
  if (state in ADMIN_STATES) return adminState(state);
  if (state === "sign-in") {
    return (
      <SignIn
        what="Softphone"
        authentication
        unreachable={false}
        notice="Wrong name or password."
        busy={false}
        provider="Example Ltd"
        providerAddress="#"
        onEnter={nothing}
      />
    );
  }
  return (
    <ul>
      {[
        "sign-in",
        "choose-password",
        "choose-password-refused",
        "second-factor",
        "second-factor-wrong",
        ...Object.keys(METHODS),
        "enrolment",
        "recovery-codes",
        "dashboard",
        "dashboard-empty",
        ...Object.keys(ADMIN_STATES),
        ...Object.keys(STATES),
      ].map((name) => (
        <li key={name}>
          <a href={`#${name}`}>{name}</a>
        </li>
      ))}
    </ul>
  );
}
