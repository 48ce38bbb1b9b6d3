// The SIP phones of a user that are registered at the SIP edge; while it is away, that nobody knows.

import type { Api } from "sip-proxy-client";
import { USERS } from "../../texts";

export interface SipPhonesProps {
  user: Api.UserData;
  found: Api.SipRegistrations;
}

export function SipPhones({ user, found }: SipPhonesProps) {
  const mine = found.registrations.filter((one) => one.user === user.name);
  if (mine.length === 0 && !user.sipPassword) return null;
  return (
    <section className="part" aria-label={USERS.phones}>
      <h3>{USERS.phones}</h3>
      {!found.known && (
        <p className="quiet">
          {USERS.phonesUnknown} {found.reason}
        </p>
      )}
      {found.known && mine.length === 0 && <p className="quiet">{USERS.noPhones}</p>}
      <ul className="plain-list">
        {mine.map((one) => (
          <li key={one.contact}>
            <b>{one.userAgent || one.contact}</b>, {one.address || one.contact}, {one.transport}
          </li>
        ))}
      </ul>
    </section>
  );
}
