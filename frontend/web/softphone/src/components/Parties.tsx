// The parties of a conference, also those that are being called; each can be dropped.

import { X } from "lucide-react";
import { type LiveCall, otherParties } from "sip-proxy-client";
import { PARTY_LABELS } from "../texts";

export function Parties({ call, onDrop }: { call: LiveCall; onDrop(party: number): void }) {
  return (
    <ul className="parties" aria-label="In this conference" tabIndex={0}>
      {otherParties(call).map(({ party, number, name, state }) => (
        <li key={`${party} ${number}`} className={state === "accepted" ? "party-chip" : "party-chip called"}>
          <span className="party-name">{name || number}</span>
          {state !== "accepted" && <small>{PARTY_LABELS[state]}</small>}
          <button
            type="button"
            disabled={party === 0}
            onClick={() => onDrop(party)}
            aria-label={`Drop ${name || number}`}
            title={`Drop ${name || number}`}
          >
            <X size={15} aria-hidden="true" />
          </button>
        </li>
      ))}
    </ul>
  );
}
