import { readFileSync } from 'node:fs';

/** The topology of a test that changes it from one command to the next: JSON, in the file that KEYHEARTH_TEST_TOPOLOGY names. */
const topology: unknown = JSON.parse(readFileSync(process.env['KEYHEARTH_TEST_TOPOLOGY'] ?? '', 'utf8'));

export default topology;
