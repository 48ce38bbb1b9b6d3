// Every sentence that people read, in one place: ready for translation.

export * from "./account";
export * from "./admin";
export * from "./adminAudit";
export * from "./adminKeys";
export * from "./calls";
export * from "./connection";
export * from "./devices";
export * from "./page";
export * from "./people";
