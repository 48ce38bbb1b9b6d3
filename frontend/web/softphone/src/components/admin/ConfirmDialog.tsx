// Asks before something is done that cannot be taken back, and says what will happen.

import { type FormEvent, useEffect, useRef, useState } from "react";
import { type Question, USERS } from "../../texts";
import { Field } from "./Field";

export interface ConfirmDialogProps {
  question: Question;
  error: string; // why it was not done
  label?: string; // of a text that is asked for
  pattern?: string;
  onConfirm(text: string): Promise<boolean>; // whether it was done
  onClose(): void;
}

export function ConfirmDialog({ question, error, label, pattern, onConfirm, onClose }: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const isDone = await onConfirm(text.trim());
    setTried(true);
    setBusy(false);
    if (isDone) onClose();
  };
  return (
    <dialog ref={dialog} className="sheet" aria-labelledby="question" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="question">{question.title}</h2>
        {question.sentences.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {label && (
          <Field label={label}>
            {(names) => (
              <input
                {...names}
                value={text}
                onChange={(event) => setText(event.target.value)}
                required
                autoFocus
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                {...(pattern ? { pattern } : {})}
              />
            )}
          </Field>
        )}
        {tried && error && (
          <p className="fault-line" role="alert">
            {error}
          </p>
        )}
        <p className="choices">
          <button type="button" className="tool" onClick={() => dialog.current?.close()} autoFocus={!label}>
            {USERS.cancel}
          </button>
          <button type="submit" className="tool tool-danger" disabled={busy}>
            {question.confirm}
          </button>
        </p>
      </form>
    </dialog>
  );
}
