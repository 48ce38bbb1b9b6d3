// A list of rows of equal height, of which only the visible ones are drawn.

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";

export interface VirtualRowsProps<Row> {
  rows: readonly Row[];
  height: number; // of one, in pixels
  keyOf(row: Row): string | number;
  render(row: Row): ReactNode;
  label: string;
  testId: string;
  empty: string;
}

export function VirtualRows<Row>({ rows, height, keyOf, render, label, testId, empty }: VirtualRowsProps<Row>) {
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => height,
    getItemKey: (index) => keyOf(rows[index] as Row),
    overscan: 12,
    initialRect: { width: 800, height: 400 },
  });
  return (
    <div
      className="rows"
      ref={scroll}
      data-testid={testId}
      data-count={rows.length}
      role="list"
      aria-label={label}
      tabIndex={0}
    >
      {rows.length === 0 && (
        <p className="rows-empty" role="listitem">
          {empty}
        </p>
      )}
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => (
          <div
            key={item.key}
            role="listitem"
            className="row"
            style={{ position: "absolute", insetInline: 0, height, transform: `translateY(${item.start}px)` }}
          >
            {render(rows[item.index] as Row)}
          </div>
        ))}
      </div>
    </div>
  );
}
