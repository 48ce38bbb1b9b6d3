// The two fields for a new password, with what it must be like; used at the first sign-in, and in the account's sheet.

import { type ReactNode, useId, useState } from "react";
import { NEW_PASSWORD } from "../texts";

export interface NewPassword {
  fields: ReactNode;
  /** The password if it can be sent. Otherwise what is wrong is shown at the fields, and it is null. */
  take(): string | null;
  clear(): void;
}

/** `length`: characters that it needs. Whether it is common, or the name, only the server knows. */
export function useNewPassword(length: number, autoFocus = false): NewPassword {
  const [first, setFirst] = useState("");
  const [again, setAgain] = useState("");
  const [fault, setFault] = useState("");
  const id = useId();
  const write =
    (set: (value: string) => void) =>
    (event: { target: { value: string } }): void => {
      set(event.target.value);
      setFault("");
    };
  const field = { type: "password", autoComplete: "new-password", required: true, "aria-describedby": id } as const;
  return {
    fields: (
      <>
        <label>
          <span>{NEW_PASSWORD.first}</span>
          <input {...field} name="new-password" value={first} onChange={write(setFirst)} autoFocus={autoFocus} />
        </label>
        <label>
          <span>{NEW_PASSWORD.again}</span>
          <input {...field} name="new-password-again" value={again} onChange={write(setAgain)} />
        </label>
        <p id={id} className={fault ? "fault" : "quiet rule"} role={fault ? "alert" : undefined}>
          {fault || NEW_PASSWORD.rule(length)}
        </p>
      </>
    ),
    take: () => {
      const wrong =
        [...first].length < length ? NEW_PASSWORD.tooShort(length) : first === again ? "" : NEW_PASSWORD.differ;
      setFault(wrong);
      return wrong ? null : first;
    },
    clear: () => {
      setFirst("");
      setAgain("");
    },
  };
}
