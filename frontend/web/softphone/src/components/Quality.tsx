// Bars from the mean opinion score; a press opens the figures.

import * as Popover from "@radix-ui/react-popover";
import type { Quality } from "sip-proxy-client";
import { QUALITY_LABELS, qualityAdvice } from "../texts";

export function QualityBars({ quality }: { quality: Quality | null }) {
  if (!quality) return <span className="quality quality-none" aria-hidden="true" />;
  const word = QUALITY_LABELS[quality.bars];
  const advice = qualityAdvice(quality.lossPercent, quality.roundTripMs);
  return (
    <Popover.Root>
      <Popover.Trigger className="quality" aria-label={`Call quality: ${word}. Show figures`} data-testid="quality">
        {[1, 2, 3, 4].map((bar) => (
          <i key={bar} className={bar <= quality.bars ? "on" : ""} />
        ))}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="popover"
          sideOffset={8}
          align="end"
          collisionPadding={12}
          aria-label={`Call quality: ${word.toLowerCase()}`}
        >
          <p className="popover-title">Call quality: {word.toLowerCase()}</p>
          <dl className="figures">
            <dt>Score (1 to 4.4)</dt>
            <dd>{quality.mos.toFixed(1)}</dd>
            <dt>Round trip</dt>
            <dd>{quality.roundTripMs === null ? "not known yet" : `${Math.round(quality.roundTripMs)} ms`}</dd>
            <dt>Lost</dt>
            <dd>{quality.lossPercent.toFixed(1)} %</dd>
            <dt>Jitter</dt>
            <dd>{Math.round(quality.jitterMs)} ms</dd>
            <dt>Codec</dt>
            <dd>{quality.codec || "not known yet"}</dd>
          </dl>
          {advice && <p className="advice">{advice}</p>}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
