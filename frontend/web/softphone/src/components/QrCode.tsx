// A QR code, drawn here: nothing of a secret goes to anybody else.

export interface QrCodeProps {
  rows: readonly string[]; // 1 is dark
  label: string;
}

const MARGIN = 4; // modules, as ISO/IEC 18004 wants

export function QrCode({ rows, label }: QrCodeProps) {
  const size = rows.length + 2 * MARGIN;
  const path = rows
    .flatMap((row, y) => [...row].map((module, x) => (module === "1" ? `M${x + MARGIN} ${y + MARGIN}h1v1h-1z` : "")))
    .join("");
  return (
    <svg className="qr-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
