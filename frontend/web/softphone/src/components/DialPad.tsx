// Twelve keys: they type a number, or send tones during a call. They keep their places in every state.

const KEYS: readonly (readonly [key: string, letters: string])[] = [
  ["1", ""],
  ["2", "abc"],
  ["3", "def"],
  ["4", "ghi"],
  ["5", "jkl"],
  ["6", "mno"],
  ["7", "pqrs"],
  ["8", "tuv"],
  ["9", "wxyz"],
  ["*", ""],
  ["0", ""],
  ["#", ""],
];

const SPOKEN: Record<string, string> = { "*": "star", "#": "hash" };

export interface DialPadProps {
  tones: boolean; // in a call
  disabled: boolean;
  onKey(key: string): void;
}

export function DialPad({ tones, disabled, onKey }: DialPadProps) {
  return (
    <div
      className="pad"
      role="group"
      aria-label={tones ? "Send tones" : "Dial pad"}
      data-testid={tones ? "dtmf-pad" : "dial-pad"}
    >
      {KEYS.map(([key, letters]) => (
        <button
          key={key}
          type="button"
          className="pad-key"
          disabled={disabled}
          data-key={key}
          aria-label={SPOKEN[key] ?? key}
          onClick={() => onKey(key)}
        >
          <span className="pad-digit">{key === "*" ? "∗" : key}</span>
          <span className="pad-letters" aria-hidden="true">
            {letters}
          </span>
        </button>
      ))}
    </div>
  );
}
