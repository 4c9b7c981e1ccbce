import { createHash } from 'node:crypto';

/**
 * A script that the server keeps by its SHA-1. Numbers are Lua's doubles, as they are JavaScript's; where one becomes text it is by
 * `%.0f`, since Lua writes 1e+14 otherwise.
 */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

function script(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/**
 * KEYS: the counter's present window, and the one before. Each is a hash with one field for each process: `<number>:<units>`, where the
 * number grows with each time that the process tells, and their sum in the field `+`. What was told earlier than what is there came late
 * and is passed over. The sum changes with each field by as much, so that nobody has to read them all: processes that are gone
 * leave their fields.
 * ARGV: field (not `+`), number, units, units before, ms to keep the present one, ms to keep the one before.
 * Returns the sums of the other fields.
 */
export const EXCHANGE = script(`
local function tell(key, units, keep_ms)
  local held = redis.call('HMGET', key, '+', ARGV[1])
  local number, counted = string.match(held[2] or '', '^(%d+):(%d+)$')
  local others = tonumber(held[1] or 0) - tonumber(counted or 0)
  local is_news = number and tonumber(number) < tonumber(ARGV[2]) or not number and units ~= '0'
  if is_news then
    local sum = string.format('%.0f', others + tonumber(units))
    redis.call('HSET', key, '+', sum, ARGV[1], ARGV[2] .. ':' .. units)
    redis.call('PEXPIRE', key, keep_ms)
  end
  return others
end
return { tell(KEYS[1], ARGV[3], ARGV[5]), tell(KEYS[2], ARGV[4], ARGV[6]) }
`);

/**
 * KEYS: the counter, a hash of s (start of its present window), u (units in it) and b (units in the one before), by the arithmetic of
 * service/domain/sliding-window.ts and this server's clock.
 * ARGV: cost, limit, duration in ms, ms to keep it beyond its use.
 * Returns whether the cost was taken (1 or 0), the units that count, and the start of the present window.
 */
export const RESERVE = script(`
local cost, limit, duration = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local present = now - now % duration
local held = redis.call('HMGET', KEYS[1], 's', 'u', 'b')
local start, units, before = tonumber(held[1] or present), tonumber(held[2] or 0), tonumber(held[3] or 0)
if present > start then
  before = present == start + duration and units or 0
  units = 0
  start = present
elseif now < start - duration then
  units, before, start = 0, 0, present
end
local still_in = math.min(duration - 1, math.max(0, start + duration - 1 - now))
local used = units + math.floor(before * still_in / duration)
if limit == 0 or used + cost > limit then return { 0, used, start } end
if cost > 0 then
  local text = function(number) return string.format('%.0f', number) end
  redis.call('HSET', KEYS[1], 's', text(start), 'u', text(units + cost), 'b', text(before))
  redis.call('PEXPIRE', KEYS[1], text(start + 2 * duration - now + tonumber(ARGV[4])))
end
return { 1, used + cost, start }
`);

/** KEYS: as above. ARGV: cost, start of the window that it was reserved in, duration in ms. Gives back as far as it still counts. */
export const RELEASE = script(`
local cost, taken_in, duration = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('HMGET', KEYS[1], 's', 'u', 'b')
if not held[1] then return 0 end
local start = tonumber(held[1])
local field, units
if taken_in == start then
  field, units = 'u', tonumber(held[2])
elseif taken_in == start - duration then
  field, units = 'b', tonumber(held[3])
else
  return 0
end
redis.call('HSET', KEYS[1], field, string.format('%.0f', math.max(0, units - cost)))
return 1
`);
