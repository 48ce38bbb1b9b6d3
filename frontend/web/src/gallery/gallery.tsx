// Each state of the pages with fixed data, for pictures: /gallery.html?state=incoming. Not part of the built pages.

import { createRoot } from "react-dom/client";
import { DashboardScreen } from "../components/DashboardScreen";
import { PhoneScreen } from "../components/PhoneScreen";
import { SignIn } from "../components/SignIn";
import "../styles/tokens.css";
import { DASHBOARD } from "./dashboard";
import { NOW, PHONE_BOOK, STATES } from "./states";

const query = new URLSearchParams(location.search);
const state = query.get("state") ?? "";
const snapshot = STATES[state];
const nothing = (): void => undefined;

// The two pages never share a document: each takes its own sheet only.
await (state.startsWith("dashboard") ? import("../styles/dashboard.css") : import("../styles/softphone.css"));

const root = createRoot(document.getElementById("root")!);
if (snapshot) {
  root.render(
    <PhoneScreen
      user="1001" phoneBook={PHONE_BOOK} snapshot={snapshot} microphoneProblem={state === "empty" ? "insecure_page" : null} speakerSelectable now={NOW}
      number={query.get("number") ?? ""}
      actions={{
        call: nothing, accept: nothing, decline: nothing, declineWaiting: nothing, hangup: nothing, bring: nothing, dismiss: nothing, setMuted: nothing,
        press: nothing, tryMicrophone: nothing, chooseMicrophone: nothing, chooseSpeaker: nothing, chooseRing: nothing, signOut: nothing,
        ownLevel: () => (snapshot.microphoneOpen && !snapshot.call?.muted ? 0.55 : 0), remoteLevel: () => 0.7,
      }}
    />,
  );
} else if (state.startsWith("dashboard")) {
  const shown = state === "dashboard-empty" ? { connected: false, live: null, stats: null, events: [] } : DASHBOARD;
  root.render(<DashboardScreen state={shown} filter={query.get("filter") ?? ""} paused={false} now={NOW} onFilter={nothing} onPause={nothing} onSignOut={nothing} />);
} else if (state === "sign-in") {
  root.render(<SignIn what="Softphone" authentication unreachable={false} notice="Wrong name or password." busy={false} onEnter={nothing} />);
} else {
  root.render(<ul>{["sign-in", "dashboard", "dashboard-empty", ...Object.keys(STATES)].map((name) => <li key={name}><a href={`?state=${name}`}>{name}</a></li>)}</ul>);
}
