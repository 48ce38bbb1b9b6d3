// A level meter that is drawn on each frame without rendering.

import { useEffect, useRef } from "react";

export interface LevelMeterProps {
  label: string;
  read(): number; // 0 to 1
  testId?: string;
}

const FALL_PER_FRAME = 0.06; // a frame: quick up, slow down, as meters do

export function LevelMeter({ label, read, testId }: LevelMeterProps) {
  const bar = useRef<HTMLSpanElement>(null);
  const meter = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let frame = 0;
    let shown = 0;
    const draw = (): void => {
      shown = Math.max(read(), shown - FALL_PER_FRAME, 0);
      if (bar.current) bar.current.style.transform = `scaleX(${shown.toFixed(3)})`;
      const percent = String(Math.round(shown * 20) * 5);
      if (meter.current && meter.current.getAttribute("aria-valuenow") !== percent) {
        meter.current.setAttribute("aria-valuenow", percent);
      }
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [read]);
  return (
    <span
      ref={meter}
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={0}
      data-testid={testId}
    >
      <span ref={bar} className="meter-bar" />
    </span>
  );
}
