// Displayed without a call: the number to dial, and a message below it.

import { Delete } from "lucide-react";
import type { ReactNode, RefObject } from "react";

export interface DiallerProps {
  field: RefObject<HTMLInputElement | null>;
  number: string;
  wrong: boolean; // what is typed is not a number, as the message below says
  below: ReactNode;
  onNumber(number: string): void;
  onEnter(): void;
}

export function Dialler({ field, number, wrong, below, onNumber, onEnter }: DiallerProps) {
  return (
    <>
      <form
        className="dialler"
        onSubmit={(event) => {
          event.preventDefault();
          onEnter();
        }}
      >
        <input
          ref={field}
          data-testid="number"
          className="number"
          value={number}
          onChange={(event) => onNumber(event.target.value)}
          inputMode="tel"
          autoComplete="off"
          placeholder="Number"
          aria-label="Number to call"
          list="numbers"
          maxLength={1000}
          aria-invalid={wrong}
        />
        <button
          type="button"
          className="icon-button"
          aria-label="Delete the last digit"
          onClick={() => onNumber(number.slice(0, -1))}
          disabled={!number}
        >
          <Delete size={20} />
        </button>
      </form>
      <div className="stage-below">{below}</div>
    </>
  );
}
