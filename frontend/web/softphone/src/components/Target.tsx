// To whom a call is transferred, or who comes into it: a number, or the party of our other call.

import { useEffect, useRef } from "react";
import { facing, type LiveCall } from "sip-proxy-client";
import { ASKED, connectWith, mergeWith, type Message } from "../texts";
import type { PhoneActions } from "./actions";

export type Asking = "transfer" | "add";

export interface TargetProps {
  asking: Asking;
  call: LiveCall;
  others: readonly LiveCall[]; // whose parties can be chosen
  number: string;
  nameOf(number: string): string | undefined;
  fault: Message | null; // what is written is no number
  actions: PhoneActions;
  onNumber(number: string): void;
  onDone(): void; // to be asked no more
  onEnter(): void;
}

export function Target({ asking, call, others, number, nameOf, fault, actions, onNumber, onDone, onEnter }: TargetProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [asking]);
  const mine = facing(call);
  return (
    <>
      <form
        className="target" aria-label={ASKED[asking]}
        onSubmit={(event) => {
          event.preventDefault();
          onEnter();
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          onDone();
        }}
      >
        <label htmlFor="target">{ASKED[asking]}</label>
        <input
          id="target" ref={field} className="number" value={number} onChange={(event) => onNumber(event.target.value)} inputMode="tel" autoComplete="off"
          placeholder="Number" list="numbers" maxLength={1000} aria-invalid={fault !== null}
        />
        {fault ? (
          <p className="target-fault" role="alert" data-testid="message"><strong>{fault.text}</strong> {fault.advice}</p>
        ) : (
          <p className="target-name">{nameOf(number) ?? " "}</p>
        )}
      </form>
      <div className="target-others">
        {!fault && others.map((other) => {
          const theirs = facing(other);
          const [one, two] = [mine.name || mine.number, theirs.name || theirs.number];
          const choose = (): void => {
            if (asking === "transfer") actions.connect(call.id, other.id);
            else actions.merge(other.id);
            onDone();
          };
          return <button key={other.id} type="button" className="small light" onClick={choose}>{asking === "transfer" ? connectWith(one, two) : mergeWith(two)}</button>;
        })}
      </div>
    </>
  );
}
