// "Test my connection": one click, a few seconds, and the results in a few lines.

import { useState } from "react";
import type { Preflight } from "sip-proxy-client";
import { CONNECTION_TEST, PROBLEMS } from "../texts";

/** If the test could not be loaded. */
const UNKNOWN: Preflight = {
  microphone: null,
  signallingMs: null,
  media: "failed",
  quality: null,
  mos: null,
  warnings: [],
};

export function ConnectionTest({ run }: { run(): Promise<Preflight> }) {
  const [found, setFound] = useState<Preflight | null>(null);
  const [busy, setBusy] = useState(false);
  const start = (): void => {
    setBusy(true);
    setFound(null);
    void run()
      .then(setFound, () => setFound(UNKNOWN))
      .finally(() => setBusy(false));
  };
  return (
    <div className="connection-test">
      <button type="button" className="link" disabled={busy} onClick={start}>
        {busy ? CONNECTION_TEST.busy : CONNECTION_TEST.start}
      </button>
      <div role="status" data-testid="preflight">
        {found && (
          <dl className="figures">
            <dt>Microphone</dt>
            <dd>{found.microphone ? PROBLEMS[found.microphone].text : "works"}</dd>
            <dt>Server</dt>
            <dd>{found.signallingMs === null ? "does not answer" : `${Math.round(found.signallingMs)} ms`}</dd>
            <dt>Sound</dt>
            <dd>{CONNECTION_TEST.media[found.media]}</dd>
            {found.mos !== null && (
              <>
                <dt>Score (1 to 4.4)</dt>
                <dd>{found.mos.toFixed(1)}</dd>
              </>
            )}
          </dl>
        )}
        {found && found.warnings.length > 0 && (
          <ul className="advice">
            {found.warnings.map((warning) => (
              <li key={warning}>{CONNECTION_TEST.warnings[warning]}</li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
