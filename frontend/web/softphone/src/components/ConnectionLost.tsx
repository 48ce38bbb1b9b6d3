// The server cannot be reached: for how long, and after a while a button that tries at once.

import { type CallInfo as Call, callTime } from "sip-proxy-client";
import { connectionLostFor, LINK_LOST, linkLostInCall, seconds, TRY_NOW } from "../texts";
import { clock, spokenSeconds, useNow } from "./time";

/** Before, the page is quicker than a hand. */
const OFFER_RETRY_AFTER_MS = 60_000;

export interface ConnectionLostProps {
  since: number | null; // Unix milliseconds
  now?: number | undefined; // fixed, for pictures
  onRetry(): void;
}

/** On the stage while it is free. */
export function ConnectionLost({ since, now, onRetry }: ConnectionLostProps) {
  const away = useTimeLost(since, now);
  return (
    <p className="hint hint-bad">
      <strong role="alert" data-testid="link-message">
        {LINK_LOST}
      </strong>
      {away >= OFFER_RETRY_AFTER_MS && (
        <>
          {" "}
          <span data-testid="link-timer">{connectionLostFor(spokenSeconds(Math.floor(away / 1000)))}</span>{" "}
          <TryNow onTry={onRetry} />
        </>
      )}
    </p>
  );
}

/** During a call, which continues. */
export function ConnectionLostInCall({ call, since, now, onRetry }: ConnectionLostProps & { call: Call }) {
  const away = useTimeLost(since, now);
  return (
    <p className="banner banner-link">
      <span role="alert" data-testid="link-message">
        {linkLostInCall(call)}
      </span>
      {away >= OFFER_RETRY_AFTER_MS && <TryNow onTry={onRetry} />}
      <span className="timer" data-testid="link-timer">
        {away < OFFER_RETRY_AFTER_MS ? seconds(away) : clock(away)}
      </span>
    </p>
  );
}

const TryNow = ({ onTry }: { onTry(): void }) => (
  <button type="button" className="link" onClick={onTry}>
    {TRY_NOW}
  </button>
);

function useTimeLost(since: number | null, now: number | undefined): number {
  const second = useNow(1000, now === undefined, callTime);
  return since === null ? 0 : Math.max(0, (now ?? second) - since);
}
