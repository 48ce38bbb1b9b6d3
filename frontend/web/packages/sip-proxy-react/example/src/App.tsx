// A phone in one component: calls out, is called, and is back with its calls after a reload.

import { useState } from "react";
import { useSIPCall } from "sip-proxy-react";

const proxyUrl = import.meta.env.VITE_PROXY_URL ?? "http://localhost:3000";

export function App() {
  const { call, incoming, isConnected, isRegistered, error, client, makeCall, answer, reject, endCall } = useSIPCall({
    proxyUrl,
  });
  const [number, setNumber] = useState("601");

  return (
    <main>
      <p>{isRegistered ? `Online as ${client?.user}` : "Offline"}</p>
      {incoming && (
        <p>
          {incoming.name || incoming.number} is calling <button onClick={answer}>Answer</button>{" "}
          <button onClick={reject}>Decline</button>
        </p>
      )}
      {call && call !== incoming && (
        <p>
          {call.name || call.number}: {isConnected ? "in call" : "calling"} <button onClick={endCall}>Hang up</button>
          {isConnected && (
            <button onClick={() => (call.muted ? call.unmute() : call.mute())}>{call.muted ? "Unmute" : "Mute"}</button>
          )}
        </p>
      )}
      {!call && (
        <form onSubmit={(event) => (event.preventDefault(), void makeCall(number))}>
          <input aria-label="Number to call" value={number} onChange={(event) => setNumber(event.target.value)} />
          <button>Call</button>
        </form>
      )}
      {error && <p role="alert">{error.message}</p>}
    </main>
  );
}
