// The forms before there is a session: name and password, and what the server requires besides.

import { signInAddress } from "../phone/singleSignOn";
import type { SessionState } from "../phone/useSession";
import { ChoosePassword } from "./ChoosePassword";
import { KeepRecoveryCodes, RequiredEnrolment, SecondFactor } from "./SecondFactor";
import { SignIn } from "./SignIn";

export interface SignInPageProps {
  what: string; // what one signs in to
  authentication: boolean;
  state: SessionState;
}

export function SignInPage({ what, authentication, state }: SignInPageProps) {
  const { config, unreachable, notice, busy, incomplete, recoveryCodes } = state;
  if (recoveryCodes) return <KeepRecoveryCodes codes={recoveryCodes} onDone={state.keptRecoveryCodes} />;
  const common = {
    notice,
    busy,
    methods: incomplete?.methods ?? [],
    onCode: (code: string) => void state.giveCode(code),
    onCancel: () => state.leave(),
  };
  if (incomplete?.code === "second_factor_required")
    return <SecondFactor {...common} onKey={() => void state.giveKey()} />;
  if (incomplete?.code === "second_factor_enrolment_required")
    return (
      <RequiredEnrolment enrolment={incomplete.enrolment} {...common} onNewKey={(name) => void state.setUpKey(name)} />
    );
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
      provider={config?.singleSignOn ?? ""}
      providerAddress={signInAddress(location)}
    />
  );
}
