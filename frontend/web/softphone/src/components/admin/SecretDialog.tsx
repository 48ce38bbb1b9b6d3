// Secrets that are shown once. Escape does not close it: they could not be shown again.

import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { SECRET } from "../../texts";

export interface ShownSecret {
  title: string;
  values: readonly (readonly [label: string, value: string])[];
  sentences: readonly string[];
}

export interface SecretDialogProps {
  secret: ShownSecret;
  onClose(): void;
}

export function SecretDialog({ secret, onClose }: SecretDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="sheet"
      aria-labelledby="secret-title"
      onCancel={(event) => event.preventDefault()}
      onClose={onClose}
    >
      <h2 id="secret-title">{secret.title}</h2>
      {secret.values.map(([label, value]) => (
        <Value key={label} label={label} value={value} />
      ))}
      {secret.sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <button type="button" className="primary" onClick={() => dialog.current?.close()}>
        {SECRET.done}
      </button>
    </dialog>
  );
}

function Value({ label, value }: { label: string; value: string }) {
  const code = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    } catch {
      // Not allowed, as on a page without https: it is selected, to be copied by hand.
      if (code.current) getSelection()?.selectAllChildren(code.current);
    }
  };
  return (
    <p className="secret">
      <span>
        <small>{label}</small>
        <code ref={code} data-testid="secret">
          {value}
        </code>
      </span>
      <button
        type="button"
        className="tool"
        aria-label={`${copied ? SECRET.copied : SECRET.copy}: ${label}`}
        onClick={() => void copy()}
      >
        {copied ? <Check size={15} aria-hidden="true" /> : <Copy size={15} aria-hidden="true" />}
        <span role="status">{copied ? SECRET.copied : SECRET.copy}</span>
      </button>
    </p>
  );
}
