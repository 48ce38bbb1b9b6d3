// The forms before there is a session: name and password, and what the server requires besides.

import type { SessionState } from "../phone/useSession";
import { ChoosePassword } from "./ChoosePassword";
import { SignIn } from "./SignIn";

export interface SignInPageProps {
  what: string; // what one signs in to
  authentication: boolean;
  state: SessionState;
}

export function SignInPage({ what, authentication, state }: SignInPageProps) {
  const { config, unreachable, notice, busy, incomplete } = state;
  if (incomplete)
    return (
      <ChoosePassword
        user={incomplete.user}
        length={config?.minPasswordLength ?? 0}
        notice={notice}
        busy={busy}
        onChoose={(password) => void state.choosePassword(password)}
        onCancel={() => state.leave()}
      />
    );
  return (
    <SignIn
      what={what}
      authentication={authentication}
      unreachable={unreachable}
      notice={notice}
      busy={busy || !config}
      onEnter={(user, password) => void state.enter(user, password)}
    />
  );
}
