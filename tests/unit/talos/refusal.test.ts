import { makeRedactor } from "../../../rehearsal/machines/redact";
import { refusal } from "../../../steps/talos/refusal";

test.each([
  [
    "line 4: cannot unmarshal !!str `p4ssw0r...` into v1alpha1.MachineConfig",
    "line 4: cannot unmarshal !!str (left out) into v1alpha1.MachineConfig",
  ],
  [
    "error decoding to *v1alpha1.Config: yaml: cannot decode !!str `p4ssw0rd-in-full` as a !!int",
    "error decoding to *v1alpha1.Config: yaml: cannot decode !!str (left out) as a !!int",
  ],
  [
    "unmarshal errors:\n  line 3: cannot unmarshal !!str `p4` into w0` into []string\n  line 9: cannot unmarshal !!str `p4\n ss...` into bool",
    "unmarshal errors: line 3: cannot unmarshal !!str (left out) into []string line 9: cannot unmarshal !!str (left out) into bool",
  ],
  ["line 3: cannot unmarshal !!str `p4", "line 3: cannot unmarshal !!str (left out)"],
  [
    "yaml: construct errors: line 4: cannot construct !!str `p4ssw0r...` into bool; line 5: cannot construct !!map into string",
    "yaml: construct errors: line 4: cannot construct !!str (left out) into bool; line 5: cannot construct !!map into string",
  ],
  ["yaml: cannot decode !!str `p4ssw0rd` as a !!int", "yaml: cannot decode !!str (left out) as a !!int"],
  ["yaml: unknown anchor 'p4ssw0rd' referenced", "yaml: unknown anchor (left out) referenced"],
  [
    String.raw`parse "https://omni.example.org/?jointoken=p4ss\"w0rd%zz": invalid URL escape "%zz"`,
    'parse (left out): invalid URL escape "%zz"',
  ],
  [
    'parse "tcp://me:p4ss/w0rd@host": invalid port ":p4ss" after host',
    "parse (left out): invalid port (left out) after host",
  ],
  ['wrong key "p4ssw0rd" length: 6', "wrong key (left out) length: 6"],
  [
    "invalid clusterSecret: failed to decode from base64: p4ss; w0rd; illegal base64 data at input byte 4",
    "invalid clusterSecret: failed to decode from base64: (left out); illegal base64 data at input byte 4",
  ],
  [
    "invalid clusterSecret: expected 32 bytes, got 6: p4ssw0rd",
    "invalid clusterSecret: expected 32 bytes, got 6: (left out)",
  ],
  [String.raw`environment[0]: "p4ssw0rd\\" must be in KEY=value form`, "environment[0]: (left out)"],
  [
    "unknown keys found during decoding:\nmachine:\n    secretKey: p4ssw0rd\n",
    "unknown keys found during decoding: machine, secretKey",
  ],
  [
    "unknown keys found during decoding:\nmachine:\n    interfaces:\n        - <<: *nic\n          *nic : p4ssw0rd\n",
    "unknown keys found during decoding: machine, interfaces, <<",
  ],
  ["unknown keys found during decoding:\n[p4ssw0rd, {k: *x", "unknown keys found during decoding: k"],
  ["1 error occurred:\n\t* an install disk is missing\n\n", "1 error occurred: * an install disk is missing"],
])("Talos's refusal is one line, without a value that may be secret: %j", (said, told) => {
  expect(refusal(said)).toBe(told);
  // The node says the same as JSON, in a line of its log.
  const logged = makeRedactor()(
    `[   24.0] [talos] controller failed ${JSON.stringify({ error: `failed to load config: ${said}` })}`,
  );
  expect(logged).not.toMatch(/p4ss|w0rd/);
});
