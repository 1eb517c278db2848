import { refusal } from "../../../steps/talos/refusal";

test.each([
  [
    "line 4: cannot unmarshal !!str `p4ssw0r...` into v1alpha1.MachineConfig",
    "line 4: cannot unmarshal !!str (left out) into v1alpha1.MachineConfig",
  ],
  ["yaml: unknown anchor 'p4ssw0rd' referenced", "yaml: unknown anchor (left out) referenced"],
  [
    "unknown keys found during decoding:\nmachine:\n    secretKey: p4ssw0rd\n",
    "unknown keys found during decoding: machine, secretKey",
  ],
  ["1 error occurred:\n\t* an install disk is missing\n\n", "1 error occurred: * an install disk is missing"],
])("Talos's refusal is one line, without a value that may be secret: %j", (said, told) => {
  expect(refusal(said)).toBe(told);
});
