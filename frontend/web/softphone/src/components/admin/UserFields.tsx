// What one may do and is called: the part of a form that a new user and a changed one share.

import type { Api } from "sip-proxy-client";
import type { Role } from "../../admin/adminApi";
import { ROLES, USERS } from "../../texts";
import { Field } from "./Field";

export interface UserFieldsProps {
  value: Required<Api.UserSettings>;
  classes: readonly string[];
  disabled: boolean;
  onChange(value: Required<Api.UserSettings>): void;
}

export function UserFields({ value, classes, disabled, onChange }: UserFieldsProps) {
  // A class that is not in the file any more is still the user's, until another is chosen.
  const offered = [...new Set([...classes, value.classOfService])].filter(Boolean);
  const toggle = (role: Role, on: boolean): void => {
    const roles = (Object.keys(ROLES) as Role[]).filter((each) => (each === role ? on : value.roles.includes(each)));
    onChange({ ...value, roles });
  };
  return (
    <fieldset className="fields" disabled={disabled}>
      <Field label={USERS.displayName} hint={USERS.displayNameHint}>
        {(names) => (
          <input
            {...names}
            value={value.displayName}
            onChange={(event) => onChange({ ...value, displayName: event.target.value })}
            maxLength={80}
            autoComplete="off"
          />
        )}
      </Field>
      <fieldset className="field roles">
        <legend>{USERS.roles}</legend>
        {Object.entries(ROLES).map(([role, what]) => (
          <label key={role} className="choice">
            <input
              type="checkbox"
              checked={value.roles.includes(role as Role)}
              onChange={(event) => toggle(role as Role, event.target.checked)}
            />
            <span>
              <b>{role}</b> {what}
            </span>
          </label>
        ))}
      </fieldset>
      <Field label={USERS.class} hint={USERS.classHint}>
        {(names) => (
          <select
            {...names}
            value={value.classOfService}
            onChange={(event) => onChange({ ...value, classOfService: event.target.value })}
          >
            <option value="">{USERS.byRoles}</option>
            {offered.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
    </fieldset>
  );
}
