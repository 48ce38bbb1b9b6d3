// A phone on one page: calls out, is called, holds several calls, and is back with them after a reload.

import { type ClientState, type SIPProxyCall, SIPProxyClient } from "sip-proxy-client";

const client = new SIPProxyClient({ proxyUrl: import.meta.env.VITE_PROXY_URL ?? "http://localhost:3000" });

const find = (id: string): HTMLElement => document.getElementById(id)!;
const say = (words: string): void => void (find("message").textContent = words);

function button(words: string, press: () => Promise<void> | void): HTMLButtonElement {
  const made = document.createElement("button");
  made.textContent = words;
  made.onclick = async () => {
    try {
      await press();
    } catch (error) {
      say(String(error));
    }
  };
  return made;
}

function row(call: SIPProxyCall): HTMLLIElement {
  const made = document.createElement("li");
  made.append(`${call.name || call.number}: ${call.held ? "on hold" : call.state} `);
  if (call.state === "incoming") made.append(button("Answer", () => call.answer()));
  if (call.state === "accepted") {
    made.append(
      call.held ? button("Take back", () => call.unhold()) : button("Hold", () => call.hold()),
      call.muted ? button("Unmute", () => call.unmute()) : button("Mute", () => call.mute()),
    );
  }
  made.append(button("Hang up", () => call.hangup()));
  return made;
}

let shown: ClientState["calls"] = [];

client.on("stateChanged", ({ registered, calls, soundBlocked }) => {
  find("link").textContent = registered ? `Online as ${client.user}` : "Offline";
  if (calls !== shown) find("calls").replaceChildren(...client.calls.map(row)); // else a button would change under a finger
  shown = calls;
  if (soundBlocked) say("Press anything, so that the browser plays the sound.");
});
client.on("error", (error) => say(error.message));

find("dial").onsubmit = (event) => {
  event.preventDefault();
  say("");
  const number = new FormData(event.target as HTMLFormElement).get("number") as string;
  try {
    client.call(number).on("disconnected", ({ error }) => say(error?.message ?? "The call has ended."));
  } catch (error) {
    say(String(error)); // e.g. too many calls at once
  }
};

client.register().catch(() => undefined); // the event `error` says why
