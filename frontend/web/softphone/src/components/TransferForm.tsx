// The target of a transfer, or a party to add: a number, or the party of our other call.

import { useEffect, useRef } from "react";
import { connectedParty, type LiveCall } from "sip-proxy-client";
import { connectWith, FORM_LABELS, type Message, mergeWith } from "../texts";
import type { PhoneActions } from "./actions";

export type FormKind = "transfer" | "add";

export interface TransferFormProps {
  kind: FormKind;
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

export function TransferForm({
  kind,
  call,
  others,
  number,
  nameOf,
  fault,
  actions,
  onNumber,
  onDone,
  onEnter,
}: TransferFormProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [kind]);
  const mine = connectedParty(call);
  return (
    <>
      <form
        className="target"
        aria-label={FORM_LABELS[kind]}
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
        <label htmlFor="target">{FORM_LABELS[kind]}</label>
        <input
          id="target"
          ref={field}
          className="number"
          value={number}
          onChange={(event) => onNumber(event.target.value)}
          inputMode="tel"
          autoComplete="off"
          placeholder="Number"
          list="numbers"
          maxLength={1000}
          aria-invalid={fault !== null}
        />
        {fault ? (
          <p className="target-fault" role="alert" data-testid="message">
            <strong>{fault.text}</strong> {fault.advice}
          </p>
        ) : (
          <p className="target-name">{nameOf(number) ?? " "}</p>
        )}
      </form>
      <div className="target-others">
        {!fault &&
          others.map((other) => {
            const theirs = connectedParty(other);
            const [one, two] = [mine.name || mine.number, theirs.name || theirs.number];
            const choose = (): void => {
              if (kind === "transfer") actions.connect(call.id, other.id);
              else actions.merge(other.id);
              onDone();
            };
            return (
              <button key={other.id} type="button" className="small light" onClick={choose}>
                {kind === "transfer" ? connectWith(one, two) : mergeWith(two)}
              </button>
            );
          })}
      </div>
    </>
  );
}
