// Where a code is typed. Phones and password managers fill in those of the app by themselves.

export interface CodeFieldProps {
  label: string;
  value: string;
  recovery?: boolean; // letters too
  focused?: boolean; // from the beginning
  onChange(value: string): void;
}

export function CodeField({ label, value, recovery = false, focused = true, onChange }: CodeFieldProps) {
  return (
    <label>
      <span>{label}</span>
      <input
        name="code"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        inputMode={recovery ? "text" : "numeric"}
        autoComplete={recovery ? "off" : "one-time-code"}
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={64}
        autoFocus={focused}
        required
        className="code-field"
      />
    </label>
  );
}
