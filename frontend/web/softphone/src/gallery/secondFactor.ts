// A second factor with fixed data.

import { type Enrolment, type SecondFactor, SecondFactorApi } from "../phone/secondFactor";
import type { SecondStep, SignInAgainActions } from "../phone/signInAgain";
import { SECURITY_KEYS } from "../texts";

/** As the server says it. */
export const SECOND_FACTOR_WRONG = "This is not the code that the app shows now, or it was used before.";

export const RECOVERY_CODES = Array.from({ length: 10 }, (_, index) => `K7QM-3XWF-9PTA-HJ${index}D`);

export const ENROLMENT: Enrolment = {
  challenge: "",
  secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
  uri: "otpauth://totp/ari-bridge:1001?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=ari-bridge",
  qrCode: [
    "11111110101010011100101100001011001111111",
    "10000010011110000101100000001011101000001",
    "10111010011110001001010101001100001011101",
    "10111010110101010110111010110100001011101",
    "10111010111001011010111001101110001011101",
    "10000010101111011101001011100101101000001",
    "11111110101010101010101010101010101111111",
    "00000000100101111111010110001111000000000",
    "10001011111001000100111010101111111111001",
    "10100000111110011010000111111010110110001",
    "01010110110101101000011111011110010011111",
    "00110001010110111110111100110111001001001",
    "01100011111011110001001111001100110100001",
    "10010101011111010101100001000001101111100",
    "00110111110011000110101000010110101010001",
    "11110101111010011110010010011110101010011",
    "11000010010111011101011111001001010100000",
    "10100000110011100010011101010111011111011",
    "01011011010011011100100100010010011000111",
    "00001000111001000110101010101000100101001",
    "01100111011100101011101011110001010001100",
    "10110001111000100001000000001110001110001",
    "00111110001110111110001111111010110111001",
    "01000000000000001110011000101111001101011",
    "11000010101000001111111010011101000111001",
    "11011000110000001000001101111000111110101",
    "10000011000010111100110101110110001010001",
    "11110101011101101100010000100100011101010",
    "00010110110100010000101001010110110100000",
    "11011101011100100001000010001100001011110",
    "00111010001011110101001110001100101000001",
    "00000100001110000111110100000101111100011",
    "11110010100001111100111011010001111110001",
    "00000000111110100100001110001001100011111",
    "11111110100110101010111101111100101010111",
    "10000010010111001000110101011111100011010",
    "10111010100111110001000001000011111110101",
    "10111010000110001111001111101000010001110",
    "10111010011011000100001110010110010000101",
    "10000010000100111100011100110100101101011",
    "11111110101011101100111100010100110010010",
  ],
};

const SET_UP = Date.UTC(2026, 8, 1) / 1000;
const key = (id: string, name: string): SecondFactor["securityKeys"][number] => ({
  id,
  name,
  createdAt: SET_UP,
  lastUsedAt: SET_UP,
});

/** Security keys are set up, and whatever is asked of it succeeds. */
export class FakeSecondFactor extends SecondFactorApi {
  override show = (): Promise<SecondFactor> =>
    Promise.resolve({
      enabled: true,
      required: false,
      app: false,
      createdAt: null,
      lastUsedAt: null,
      recoveryCodes: 9,
      securityKeys: [key("key_1", "Blue key"), key("key_2", "The fingerprint of the laptop in the back")],
      securityKeysAvailable: true,
    });
  override begin = (): Promise<Enrolment> => Promise.resolve(ENROLMENT);
  override complete = (): Promise<string[]> => Promise.resolve(RECOVERY_CODES);
  override renewCodes = (): Promise<string[]> => Promise.resolve(RECOVERY_CODES);
  override remove = (): Promise<void> => Promise.resolve();
  override addKey = (): Promise<string[]> => Promise.reject(new DOMException("", "NotAllowedError"));
  override removeKey = (): Promise<void> => Promise.resolve();
}

/** The second step during a call: the password is right, and the key is not used. */
const STEP: SecondStep = { challenge: "", methods: ["security_key", "totp", "recovery_code"] };
export const SIGN_IN_AGAIN_ACTIONS: SignInAgainActions = {
  withPassword: () => Promise.resolve({ error: "", next: STEP }),
  withCode: () => Promise.resolve({ error: SECOND_FACTOR_WRONG, next: STEP }),
  withKey: () => Promise.resolve({ error: SECURITY_KEYS.notUsed, next: STEP }),
};
