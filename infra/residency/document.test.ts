import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXEMPTIONS, PARAMETER_EXEMPTIONS } from './exemptions.ts';
import { deployment } from '../test/zones.ts';
import { permissionBoundary, serviceControlPolicy } from './policies.ts';
import { GLOBAL_TYPES, REFUSED_TYPES, REGIONAL_TYPES } from './resource-types.ts';
import { RULE_IDS, RULES } from './rules.ts';
import { PROPERTY_RULES } from './property-rules.ts';
import { POLICY_FILES } from './write-policies.ts';

// Tables are padded by the formatter.
const PAGE = readFileSync(join(import.meta.dirname, '../../docs/RESIDENCY.md'), 'utf8').replaceAll(
  / +/g,
  ' ',
);

test('docs/RESIDENCY.md has the table of all rules, and names no other', () => {
  const rows = RULE_IDS.map((id) => `| ${id} | ${RULES[id].description} |`);
  expect(rows.filter((row) => !PAGE.includes(row))).toEqual([]);
  const named = new Set(PAGE.match(/Residency-\w+/g));
  expect([...named].toSorted()).toEqual(RULE_IDS.toSorted());
});

test('it names every global type that is let through, every exemption and every file, and no statement that is not there', () => {
  const parts = [
    ...Object.keys(GLOBAL_TYPES),
    ...EXEMPTIONS.map(({ value }) => value),
    ...PARAMETER_EXEMPTIONS.map(({ parameter }) => parameter),
    ...Object.values(POLICY_FILES),
  ];
  expect(parts.filter((part) => !PAGE.includes(part))).toEqual([]);
  const zone = deployment();
  const known = [...serviceControlPolicy(zone).Statement, ...permissionBoundary(zone).Statement].map(
    ({ Sid }) => Sid,
  );
  const named = [...PAGE.matchAll(/polic(?:y|ies): ([^|]*)\|/g)].flatMap(([, text = '']) =>
    [...text.matchAll(/`(\w+)`/g)].map(([, sid = '']) => sid),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((sid) => !known.includes(sid))).toEqual([]);
});

test('a type is regional, global or refused: one of them', () => {
  const global = Object.keys(GLOBAL_TYPES);
  expect(global.filter((type) => REGIONAL_TYPES.has(type))).toEqual([]);
  const refused = Object.keys(REFUSED_TYPES);
  const allowed = [...REGIONAL_TYPES, ...global];
  expect(allowed.filter((type) => refused.some((start) => type.startsWith(start)))).toEqual([]);
});

test('rules of properties are about types that are let through', () => {
  const types = new Set(PROPERTY_RULES.map(({ type }) => type));
  expect(
    [...types].filter((type) => !REGIONAL_TYPES.has(type) && !Object.hasOwn(GLOBAL_TYPES, type)),
  ).toEqual([]);
});
