// A secret that is shown once. Escape does not close it: it could not be shown again.

import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Api } from "sip-proxy-client";
import { passwordOf, SECRET } from "../../texts";

export interface SecretDialogProps {
  made: Api.NewPasswordData;
  onClose(): void;
}

export function SecretDialog({ made, onClose }: SecretDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const secret = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(made.password);
      setCopied(true);
    } catch {
      // Not allowed, as on a page without https: it is selected, to be copied by hand.
      if (secret.current) getSelection()?.selectAllChildren(secret.current);
    }
  };
  return (
    <dialog
      ref={dialog}
      className="sheet"
      aria-labelledby="secret-title"
      onCancel={(event) => event.preventDefault()}
      onClose={onClose}
    >
      <h2 id="secret-title">{passwordOf(made.user.name)}</h2>
      <p className="secret">
        <code ref={secret} data-testid="secret">
          {made.password}
        </code>
        <button type="button" className="tool" onClick={() => void copy()}>
          {copied ? <Check size={15} aria-hidden="true" /> : <Copy size={15} aria-hidden="true" />}
          <span role="status">{copied ? SECRET.copied : SECRET.copy}</span>
        </button>
      </p>
      <p>{SECRET.once}</p>
      {made.user.mustChangePassword && <p>{SECRET.mustChange}</p>}
      <button type="button" className="primary" onClick={() => dialog.current?.close()}>
        {SECRET.done}
      </button>
    </dialog>
  );
}
