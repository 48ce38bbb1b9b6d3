// How a user stands, in a word or two.

import type { Api } from "sip-proxy-client";
import { USERS } from "../../texts";

export function UserTags({ user }: { user: Api.UserData }) {
  return (
    <span className="tags">
      {user.locked && <span className="tag tag-bad">{USERS.locked}</span>}
      {user.mustChangePassword && (
        <span className="tag tag-busy" title={USERS.mustChangeTitle}>
          {USERS.mustChange}
        </span>
      )}
      {user.calls > 0 ? (
        <span className="tag tag-good">{USERS.inCall}</span>
      ) : (
        user.connections > 0 && <span className="tag tag-plain">{USERS.online}</span>
      )}
    </span>
  );
}
