// The server does not answer: for how long that has been so, and, where it takes long, a press that tries at once.

import { callTime, type CallInfo as Call } from "sip-proxy-client";
import { LINK_LOST, TRY_NOW, awayFor, linkLostInCall, seconds } from "../texts";
import { clock, spokenSeconds, useNow } from "./time";

/** Before, the page is quicker than a hand. */
const LONG_MS = 60_000;

export interface LinkAwayProps {
  since: number | null; // Unix milliseconds
  now?: number | undefined; // fixed, for pictures
  onTry(): void;
}

/** On the stage while it is free. */
export function LinkAway({ since, now, onTry }: LinkAwayProps) {
  const away = useAway(since, now);
  return (
    <p className="hint hint-bad">
      <strong role="alert" data-testid="link-message">{LINK_LOST}</strong>
      {away >= LONG_MS && <> <span data-testid="link-timer">{awayFor(spokenSeconds(Math.floor(away / 1000)))}</span> <TryNow onTry={onTry} /></>}
    </p>
  );
}

/** In a call, which goes on. */
export function LinkAwayInCall({ call, since, now, onTry }: LinkAwayProps & { call: Call }) {
  const away = useAway(since, now);
  return (
    <p className="banner banner-link">
      <span role="alert" data-testid="link-message">{linkLostInCall(call)}</span>
      {away >= LONG_MS && <TryNow onTry={onTry} />}
      <span className="timer" data-testid="link-timer">{away < LONG_MS ? seconds(away) : clock(away)}</span>
    </p>
  );
}

const TryNow = ({ onTry }: { onTry(): void }) => <button type="button" className="link" onClick={onTry}>{TRY_NOW}</button>;

function useAway(since: number | null, now: number | undefined): number {
  const second = useNow(1000, now === undefined, callTime);
  return since === null ? 0 : Math.max(0, (now ?? second) - since);
}
