import { expect, test } from 'vitest';
import { parseLsn } from './control-file.ts';
import { leftAccordingTo } from './replication.ts';
import { replicationSettings, serverSettings } from './settings.ts';

test('a position in the log is read', () => {
  expect(parseLsn('0/3000148')).toBe(0x3000148n);
  expect(parseLsn('2/A')).toBe(0x2_0000_000an);
  expect(() => parseLsn('nowhere')).toThrow('not a position');
});

test('a history tells where each timeline was left', () => {
  const history =
    '1\t0/4000188\tno recovery target specified\n\n2\t0/5000000\tno recovery target specified\n';
  expect(leftAccordingTo(history, 1)).toBe(0x4000188n);
  expect(leftAccordingTo(history, 2)).toBe(0x5000000n);
  expect(leftAccordingTo(history, 3)).toBe('never-on-it');
});

test('settings are safe for the data and closed to the network', () => {
  const settings = serverSettings(8750);
  expect(settings).toContain('port = 8750\n');
  expect(settings).toContain("listen_addresses = '127.0.0.1'\n");
  expect(settings).not.toMatch(/fsync|full_page_writes|synchronous_commit/);
});

test('a standby is told its source and its delay', () => {
  const source = { port: 8750, password: 'secret', name: 'eu-west-1' };
  const settings = replicationSettings({ source, applyDelayMs: 300 });
  expect(settings).toContain("recovery_min_apply_delay = '300ms'");
  expect(settings).toContain('port=8750 user=replication password=secret application_name=eu-west-1');
  expect(replicationSettings({ source: null, applyDelayMs: 0 })).toContain("primary_conninfo = ''");
});
