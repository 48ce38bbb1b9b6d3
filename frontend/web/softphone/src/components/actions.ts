// What the buttons and keys of the page do. The gallery's do nothing.

import type { Preflight, UserPreferences } from "sip-proxy-client";
import type { SecondFactorApi } from "../phone/secondFactor";
import type { SignInAgainActions } from "../phone/signInAgain";
import type { Feedback } from "./CallRating";
import type { SignInProvider } from "./SignInAgain";

/** On the user's own sign-in. */
export interface AccountActions {
  minPasswordLength: number;
  secondFactor: SecondFactorApi;
  changePassword(old: string, next: string): Promise<string>; // returns the error, "" for none
}

export interface PhoneActions {
  account?: AccountActions; // absent on a server without sign-in
  call(number: string, consultsId?: string): void; // consults: the call whose party it is about
  expectCall(likely: boolean): void; // a number is being written, or is not any more
  accept(id?: string, andEnd?: boolean): void; // the call that rings, or a waiting one; the other is held, or ended
  decline(id?: string): void;
  hangup(): void; // the active call, for everybody in it
  loadOlderCalls(): void; // one more page of the last calls
  markCallsSeen(): void; // the user looks at the last calls
  takeOver(): void; // the calls that another page holds
  clearLastCall(): void;
  reconnect(): void; // to reach the server, without waiting for the next try
  rate?(id: string, opinion: Feedback): void; // a call that has ended; absent if the server keeps no feedback
  setMuted(muted: boolean): void;
  setPreferences(change: Partial<UserPreferences>): void; // how calls are handled
  pressKey(key: string): void;
  playTone(key: string): void; // played, not sent
  hold(id: string, held: boolean): void;
  switchTo(id: string): void;
  transfer(target: string): void;
  connect(id: string, toId: string): void;
  cancelTransfer(): void;
  addParty(target: string): void;
  merge(fromId: string): void;
  dropParty(party: number): void;
  leave(): void;
  record(action: "start" | "pause" | "resume" | "stop"): void;
  tryMicrophone(): void;
  testConnection?(): Promise<Preflight>;
  chooseMicrophone(id: string): void;
  chooseSpeaker(id: string): void;
  chooseRing(id: string): void;
  inputLevel(): number;
  outputLevel(): number;
  allowNotifications(): void; // lets the browser ask
  declineNotifications(): void;
  signOut(): void;
  provider?: SignInProvider; // another way to do that
  signInAgain?: SignInAgainActions; // during a call whose sign-in has expired
}
