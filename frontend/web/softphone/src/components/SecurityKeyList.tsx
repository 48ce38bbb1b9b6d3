// The user's security keys, each with its name, when it was used, and a way to remove it.

import type { SecondFactor } from "../phone/secondFactor";
import { SECURITY_KEYS } from "../texts";

export interface SecurityKeyListProps {
  keys: SecondFactor["securityKeys"];
  onRemove(id: string): void;
}

export function SecurityKeyList({ keys, onRemove }: SecurityKeyListProps) {
  if (keys.length === 0) return null;
  return (
    <ul className="security-keys" aria-label={SECURITY_KEYS.list}>
      {keys.map(({ id, name, createdAt, lastUsedAt }) => (
        <li key={id}>
          <span className="security-key-name" title={SECURITY_KEYS.setUp(dateOf(createdAt))}>
            {name}
          </span>
          <span className="quiet">{SECURITY_KEYS.lastUsed(dateOf(lastUsedAt))}</span>
          <button
            type="button"
            className="link"
            aria-label={SECURITY_KEYS.removeKey(name)}
            onClick={() => onRemove(id)}
          >
            {SECURITY_KEYS.remove}
          </button>
        </li>
      ))}
    </ul>
  );
}

const dateOf = (seconds: number): string => new Date(seconds * 1000).toLocaleDateString();
