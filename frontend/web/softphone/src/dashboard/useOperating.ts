// What an operator may do here: end calls, and stop all outgoing ones. Without the rights there is nothing of it.

import { useCallback, useEffect, useState } from "react";
import { type Api, HttpApi, type Session } from "sip-proxy-client";
import { SERVER_URL } from "../phone/serverUrl";

export interface Operating {
  outgoing: Api.OutgoingData | null; // null: the user may not see it
  mayStop: boolean;
  mayEnd: boolean;
  failure: string; // why the last request was refused; "" if it was not
  stopOutgoing(): void;
  allowOutgoing(): void;
  endCall(callId: string): void;
}

const READ_INTERVAL_MS = 5000;

export function useOperating(session: Session): Operating {
  const [grants, setGrants] = useState<readonly string[]>([]);
  const [outgoing, setOutgoing] = useState<Api.OutgoingData | null>(null);
  const [failure, setFailure] = useState("");
  const mayEnd = grants.includes("calls:control");

  useEffect(() => {
    let isCancelled = false;
    setGrants([]);
    setOutgoing(null);
    serverOf(session)
      .request<Api.MeData>("/me")
      .then(
        (me) => !isCancelled && setGrants(me.grants),
        () => undefined, // the dashboard itself says that the server is away
      );
    return () => {
      isCancelled = true;
    };
  }, [session]);

  useEffect(() => {
    if (!mayEnd) return;
    let isCancelled = false;
    const read = (): void => {
      serverOf(session)
        .request<Api.OutgoingData>("/outgoing")
        .then(
          (now) => !isCancelled && setOutgoing(now),
          () => undefined,
        );
    };
    read();
    const timer = setInterval(read, READ_INTERVAL_MS);
    return () => {
      isCancelled = true;
      clearInterval(timer);
    };
  }, [session, mayEnd]);

  const ask = useCallback(
    async (method: "PUT" | "POST", path: string, body: object): Promise<void> => {
      setFailure("");
      try {
        const answer = await serverOf(session).request<Api.OutgoingData>(path, {
          method,
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(body),
        });
        if (path === "/outgoing") setOutgoing(answer);
      } catch (error) {
        setFailure(error instanceof Error ? error.message : String(error));
      }
    },
    [session],
  );

  return {
    outgoing,
    mayStop: grants.includes("calls:stop"),
    mayEnd,
    failure,
    stopOutgoing: () => void ask("PUT", "/outgoing", { allowed: false }),
    allowOutgoing: () => void ask("PUT", "/outgoing", { allowed: true }),
    endCall: (callId) => void ask("POST", "/calls/end", { callId }),
  };
}

function serverOf(session: Session): HttpApi {
  const http = new HttpApi(SERVER_URL);
  http.token = session.token;
  return http;
}
