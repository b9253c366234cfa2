#include "redis/scripts.h"

namespace syncrelay {
namespace {

// What all scripts use.
//
// grave: the number of the last batch of a relay that was declared gone; nil for one that was not.
//
// is_open: this server is the master on which the cluster has agreed, under this epoch. The
// replication id is another one after a restart, a promotion and a full copy from another master,
// which is all that can take an entry back; so nothing is ever written to a history in doubt.
//
// mark: what an entry is known by besides its id: "generation:n:relay:batch".
//
// A record says of a checkpoint: "name parts n id mark bytes sum", where n, id and mark are of the
// entry behind which it stands.
//
// is_whole: the log goes from the older checkpoint (the newest where there is no other) to the end:
// nobody but a relay has taken anything of it. There is no longer log than that.
//
// stands: how (id, mark, generation, n) of a reader stands to the log: "none" it has read nothing;
// "held" the entry is there; "trimmed" the log begins behind it, in its generation; "lost" else.
constexpr std::string_view kCommon = R"lua(
local info, log, relays, batches, gone, bids = unpack(KEYS)

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function server()
  local text = redis.call('INFO', 'replication')
  return text:match('role:(%a+)'), text:match('master_replid:(%x+)')
end

local function is_open(epoch)
  local role, replid = server()
  local agreed = redis.call('HMGET', info, 'replid', 'epoch')
  return role == 'master' and agreed[1] == replid and agreed[2] == epoch
end

local function add(id, kind, relay, batch, data)
  local told = redis.call('HMGET', info, 'generation', 'n')
  local n = told[2] + 1
  local added = redis.call('XADD', log, id, 'v', '1', 'k', kind, 'g', told[1], 'n', n,
                           'r', relay, 'b', batch, 'd', data)
  redis.call('HSET', info, 'n', n)
  return added, n
end

local function bury(relay)
  add('*', 'g', relay, 0, '')
  redis.call('RPUSH', gone, relay .. ' ' .. (redis.call('HGET', batches, relay) or '0'))
  redis.call('LTRIM', gone, -1000, -1)
  redis.call('HDEL', relays, relay)
  redis.call('HDEL', batches, relay)
end

local function grave(relay)
  for _, dead in ipairs(redis.call('LRANGE', gone, 0, -1)) do
    local name, batch = dead:match('^(%S+) (%d+)$')
    if name == relay then return batch end
  end
  return nil
end

local function forget(record)
  if not record then return end
  local name, parts = record:match('^(%S+) (%d+)')
  for part = 0, parts - 1 do
    redis.call('UNLINK', (info:gsub('info$', 'checkpoint:' .. name .. ':' .. part)))
  end
end

local function all_parts_are_there()
  for at = 7, #KEYS do
    if redis.call('PERSIST', KEYS[at]) == 0 then return false end
  end
  return true
end

local function mark(fields)
  return fields[6] .. ':' .. fields[8] .. ':' .. fields[10] .. ':' .. fields[12]
end

local function is_whole()
  local told = redis.call('HMGET', info, 'n', 'older', 'newest')
  local first = (told[2] or told[3] or ''):match('^%S+ %S+ (%d+)')
  return told[1] and first and redis.call('XLEN', log) > told[1] - first
end

local function stands(id, known, generation, n)
  if id == '' then return 'none' end
  local found = redis.call('XRANGE', log, id, id)[1]
  if found and mark(found[2]) == known then return 'held' end
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if first and redis.call('HGET', info, 'generation') == generation
     and tonumber(first[2][8]) > tonumber(n) then return 'trimmed' end
  return 'lost'
end
)lua";

// How things are, for a relay that has just connected.
// ARGV: relay, id, mark, generation, n of what it read last ('' and 0: nothing); silent ms; ms
// within which another relay that gave a sign of life counts as one that may come back.
// Returns: 'replica', 'doubt' or 'settled'; how the reader stands; 'registered', 'gone' or
// 'unknown'; how many other relays have given a sign of life; then of info: epoch, generation, n,
// settings, newest, older; of one that is gone the number of its last batch; the replication id;
// the time; what is evicted where memory is full; 1 where the log is whole; how many other relays
// may come back.
constexpr std::string_view kSurvey = R"lua(
local role, replid = server()
local told = redis.call('HMGET', info, 'epoch', 'generation', 'n', 'settings', 'newest', 'older')
local course = 'doubt'
if role ~= 'master' then course = 'replica'
elseif told[1] and redis.call('HGET', info, 'replid') == replid then course = 'settled' end
local standing, buried = 'unknown', grave(ARGV[1])
if redis.call('HEXISTS', batches, ARGV[1]) == 1 then standing = 'registered'
elseif buried then standing = 'gone' end
local others, late, all = 0, 0, redis.call('HGETALL', relays)
for at = 1, #all, 2 do
  local silence = all[at] == ARGV[1] and math.huge or now() - all[at + 1]
  if silence < tonumber(ARGV[6]) then others = others + 1 end
  if silence < tonumber(ARGV[7]) then late = late + 1 end
end
return {course, stands(ARGV[2], ARGV[3], ARGV[4], ARGV[5]), standing, others, told[1] or '',
        told[2] or '0', told[3] or '0', told[4] or '', told[5] or '', told[6] or '', buried or '0',
        replid, string.format('%.0f', now()),
        redis.call('INFO', 'memory'):match('maxmemory_policy:([%a-]+)') or '',
        is_whole() and 1 or 0, late}
)lua";

// Registers a relay, or gives a sign of life. Its next batch is the one behind the last that is in
// the log, or behind `batch`, whichever is later.
// ARGV: epoch, relay, batch. Returns 'OK', 'DOUBT', or 'GONE': it was declared gone.
constexpr std::string_view kEnter = R"lua(
if not is_open(ARGV[1]) then return 'DOUBT' end
if redis.call('HEXISTS', batches, ARGV[2]) == 0 and grave(ARGV[2]) then return 'GONE' end
local last = tonumber(redis.call('HGET', batches, ARGV[2]) or '-1')
redis.call('HSET', relays, ARGV[2], now())
if last < tonumber(ARGV[3]) then redis.call('HSET', batches, ARGV[2], ARGV[3]) end
return 'OK'
)lua";

// Appends a batch once, and only behind the one before it.
// ARGV: epoch, relay, batch, data. Returns 'OK' (it is in the log now, or was before), 'DOUBT',
// 'UNREGISTERED', or 'GAP': the one before it is missing.
constexpr std::string_view kAppend = R"lua(
if not is_open(ARGV[1]) then return 'DOUBT' end
local last = redis.call('HGET', batches, ARGV[2])
if not last then return 'UNREGISTERED' end
local batch = tonumber(ARGV[3])
if batch <= tonumber(last) then return 'OK' end
if batch > last + 1 then return 'GAP' end
add('*', 'l', ARGV[2], ARGV[3], ARGV[4])
redis.call('HSET', batches, ARGV[2], ARGV[3])
return 'OK'
)lua";

// A sign of life; and whoever gave none for `silent` ms is declared gone, once. When nobody gave
// one for `pause` ms it was Redis that was away, and all begin anew. A sign from the future is
// one from now: the clock was set back.
// ARGV: epoch, relay, silent ms, pause ms. Returns {'DOUBT'} (also where the log is not whole) or
// {'UNREGISTERED'}; or {'OK', newest, relay…} with the other relays that are left.
constexpr std::string_view kBeat = R"lua(
if not (is_open(ARGV[1]) and is_whole()) then return {'DOUBT'} end
if redis.call('HEXISTS', batches, ARGV[2]) == 0 then return {'UNREGISTERED'} end
local time = now()
local before = tonumber(redis.call('HGET', info, 'beat') or '0')
local amnesty = time - before > tonumber(ARGV[4]) or before > time
redis.call('HSET', info, 'beat', time)
redis.call('HSET', relays, ARGV[2], time)
local answer = {'OK', redis.call('HGET', info, 'newest')}
local all = redis.call('HGETALL', relays)
for at = 1, #all, 2 do
  local relay, seen = all[at], tonumber(all[at + 1])
  if amnesty or seen > time then
    redis.call('HSET', relays, relay, time)
    seen = time
  end
  if time - seen >= tonumber(ARGV[3]) then bury(relay)
  elseif relay ~= ARGV[2] then answer[#answer + 1] = relay end
end
return answer
)lua";

// Whether all is as a relay knows it that has heard nothing for a while.
// ARGV: epoch. Returns 'OK' or 'DOUBT'.
constexpr std::string_view kLook = R"lua(
return is_open(ARGV[1]) and is_whole() and 'OK' or 'DOUBT'
)lua";

// A clean stop: the relay is gone at once.
// ARGV: epoch, relay. Returns 'OK' or 'DOUBT'.
constexpr std::string_view kLeave = R"lua(
if not is_open(ARGV[1]) then return 'DOUBT' end
if redis.call('HEXISTS', batches, ARGV[2]) == 1 then bury(ARGV[2]) end
return 'OK'
)lua";

// Asks for the turn to write a checkpoint behind entry `n`. One relay has it at a time, for a
// minute; who wrote the last one lets the others go first for a tenth of the way.
// ARGV: epoch, relay, n, entries between checkpoints. Returns 'YES', 'NO' or 'DOUBT'.
constexpr std::string_view kTurn = R"lua(
if not is_open(ARGV[1]) then return 'DOUBT' end
local time = now()
local told = redis.call('HMGET', info, 'turn', 'maker', 'newest')
if told[1] and time - told[1] < 60000 and time >= tonumber(told[1]) then return 'NO' end
local behind = ARGV[3] - tonumber(told[3]:match('^%S+ %S+ (%d+)'))
if told[2] == ARGV[2] and redis.call('HLEN', relays) > 1 and behind < ARGV[4] * 1.1 then
  return 'NO'
end
redis.call('HSET', info, 'turn', time)
return 'YES'
)lua";

// Takes a checkpoint whose parts have been written: it is the newest, the log is trimmed behind the
// one before it, and the one before that is deleted.
// KEYS also: its parts. ARGV: epoch, relay, n, its record.
// Returns 'OK', 'DOUBT', 'LATE' (there is a newer one) or 'LOST' (a part is not there any more).
constexpr std::string_view kRecord = R"lua(
if not is_open(ARGV[1]) then return 'DOUBT' end
local told = redis.call('HMGET', info, 'newest', 'older')
if tonumber(told[1]:match('^%S+ %S+ (%d+)')) >= tonumber(ARGV[3]) then return 'LATE' end
if not all_parts_are_there() then return 'LOST' end
forget(told[2])
redis.call('HSET', info, 'older', told[1], 'newest', ARGV[4], 'maker', ARGV[2])
redis.call('HDEL', info, 'turn')
redis.call('XTRIM', log, 'MINID', '=', (told[1]:match('^%S+ %S+ %d+ (%S+)')))
return 'OK'
)lua";

// Demands a new epoch: a relay has told its clients, under this one, what this history does not
// have; or it cannot be read. Nothing is appended until there is one.
// ARGV: epoch, why. Returns 'OK'.
constexpr std::string_view kDoubt = R"lua(
if redis.call('HGET', info, 'epoch') == ARGV[1] then
  redis.call('HDEL', info, 'replid')
  redis.call('HSET', info, 'broken', ARGV[2])
end
return 'OK'
)lua";

// In doubt: says what a relay has, and decides as soon as that can be decided: when all that are
// known have bid, or `wait` ms after the first bid, twice as long where only bids are missing for
// the epoch to be kept; where no bidder is a witness, only then. A bid
// counts for `live` ms. A witness has read this log under its epoch, and knows by that whether this
// is the history that was told; who has only loaded what is here now does not. Where there is one,
// every relay that is registered or known has bid, and the log holds what each of them read last,
// the epoch is kept. Else the bidder with the best claim founds a new one: settings as they are in
// the cluster, then the highest generation, then the highest n. One that is known, and gone by this
// log, is not waited for: it has told nothing that comes behind the entry which says that it is
// gone. A bidder may know of it all the same, from its last sign of life.
// ARGV: relay; id, mark, generation, n of what it read last; '1' where its settings are the
// cluster's; wait ms; live ms; the epoch under which it has read that; relays that it knows of.
// Returns 'REPLICA', 'SETTLED', 'WAIT', or, when the caller is to found, 'FOUND' and why: 'empty'
// (there is no epoch), 'demanded' and what the relay said that demanded it, 'lost' and a relay that
// has read what is not here, 'strangers' (no witness), or 'missing' and the relays that were.
constexpr std::string_view kBid = R"lua(
local role, replid = server()
if role ~= 'master' then return 'REPLICA' end
local agreed = redis.call('HMGET', info, 'replid', 'epoch', 'broken')
if agreed[1] == replid and agreed[2] then return 'SETTLED' end
local time = now()
if redis.call('HGET', bids, 'replid') ~= replid then
  redis.call('DEL', bids)
  redis.call('HSET', bids, 'replid', replid, 'opened', time)
end
local how = stands(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if how == 'held' and ARGV[9] ~= agreed[2] then how = 'none' end
redis.call('HSET', bids, 'b:' .. ARGV[1],
           table.concat({ARGV[6], ARGV[4], ARGV[5], how, time}, ' '))
for at = 10, #ARGV do redis.call('HSET', bids, 'p:' .. ARGV[at], 1) end
redis.call('PEXPIRE', bids, 60000)

local live, missing, dead, ahead, witness = {}, {}, {}, nil, false
for _, grave in ipairs(redis.call('LRANGE', gone, 0, -1)) do dead[grave:match('^%S+')] = true end
for _, relay in ipairs(redis.call('HKEYS', relays)) do missing[relay] = true end
local all = redis.call('HGETALL', bids)
for at = 1, #all, 2 do
  local known = all[at]:match('^p:(.*)')
  if known and not dead[known] then missing[known] = true end
end
for at = 1, #all, 2 do
  local relay = all[at]:match('^b:(.*)')
  if relay then
    local same, generation, n, how, when = all[at + 1]:match('^(%S+) (%S+) (%S+) (%S+) (%S+)$')
    if time - when < tonumber(ARGV[8]) then
      live[#live + 1] = {tonumber(same), tonumber(generation), tonumber(n), relay}
      missing[relay] = nil
      witness = witness or how ~= 'none'
      if how ~= 'held' and how ~= 'none' then ahead = relay end
    end
  end
end
local complete = next(missing) == nil
local keep = agreed[2] and not agreed[3] and not ahead
local wait = tonumber(ARGV[7])
if keep and witness then wait = 2 * wait end
local early = time - redis.call('HGET', bids, 'opened') < wait
if early and not (complete and agreed[2] and witness) then return 'WAIT' end
if keep and complete and witness then
  redis.call('HSET', info, 'replid', replid)
  redis.call('HDEL', info, 'beat', 'turn')
  redis.call('DEL', bids)
  return 'SETTLED'
end
table.sort(live, function(left, right)
  for at = 1, 4 do
    if left[at] ~= right[at] then return left[at] > right[at] end
  end
  return false
end)
redis.call('HSET', bids, 'chosen', live[1][4])
if live[1][4] ~= ARGV[1] then return 'WAIT' end
local names = {}
for relay in pairs(missing) do names[#names + 1] = relay end
return 'FOUND ' .. (not agreed[2] and 'empty' or agreed[3] and 'demanded ' .. agreed[3]
                    or ahead and 'lost ' .. ahead or not witness and 'strangers'
                    or 'missing ' .. table.concat(names, ' '))
)lua";

// Founds a new epoch, which begins with an entry that says so, behind the checkpoint of the
// founder. Whatever the log held before is in that. Who is not here will be declared gone.
// KEYS also: the parts of the checkpoint. ARGV: relay; epoch, generation, n, settings; the least
// milliseconds of its id; the record's beginning "name parts" and its end "bytes sum"; relay and
// last batch of each relay by the founder.
// Returns 'OK', or 'NO': it is settled, or another relay has a better claim by now, or a part is
// not there any more.
constexpr std::string_view kFound = R"lua(
local role, replid = server()
local agreed = redis.call('HMGET', info, 'replid', 'epoch')
if role ~= 'master' or (agreed[1] == replid and agreed[2]) then return 'NO' end
if redis.call('HGET', bids, 'replid') ~= replid then return 'NO' end
if redis.call('HGET', bids, 'chosen') ~= ARGV[1] then return 'NO' end
if not all_parts_are_there() then return 'NO' end
local time = now()
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
local least = math.max(time, tonumber(ARGV[6]), last and last[1]:match('^%d+') + 1 or 0)
for _, record in ipairs({'newest', 'older'}) do forget(redis.call('HGET', info, record)) end
redis.call('UNLINK', info, log, batches)
redis.call('HSET', info, 'replid', replid, 'epoch', ARGV[2], 'generation', ARGV[3], 'n', ARGV[4],
           'settings', ARGV[5], 'maker', ARGV[1])
local id, n = add(string.format('%.0f-0', least), 'f', ARGV[1], 0, ARGV[2])
redis.call('HSET', info, 'newest', table.concat({ARGV[7], n, id,
           ARGV[3] .. ':' .. n .. ':' .. ARGV[1] .. ':0', ARGV[8]}, ' '))
for at = 9, #ARGV, 2 do
  redis.call('HSET', batches, ARGV[at], ARGV[at + 1])
  redis.call('HSETNX', relays, ARGV[at], time)
end
redis.call('DEL', bids)
return 'OK'
)lua";

std::string_view body_of(Script script) {
  switch (script) {
    case Script::survey:
      return kSurvey;
    case Script::enter:
      return kEnter;
    case Script::append:
      return kAppend;
    case Script::beat:
      return kBeat;
    case Script::look:
      return kLook;
    case Script::leave:
      return kLeave;
    case Script::turn:
      return kTurn;
    case Script::record:
      return kRecord;
    case Script::doubt:
      return kDoubt;
    case Script::bid:
      return kBid;
    case Script::found:
      return kFound;
  }
  return {};
}

}  // namespace

std::string text_of(Script script) {
  return std::string(kCommon) + std::string(body_of(script));
}

LogKeys::LogKeys(const std::string& prefix) : tag_('{' + prefix + "}:") {
  names = {tag_ + "info",    tag_ + "log",  tag_ + "relays",
           tag_ + "batches", tag_ + "gone", tag_ + "bids"};
}

std::string LogKeys::part(std::string_view checkpoint, std::size_t index) const {
  return tag_ + "checkpoint:" + std::string(checkpoint) + ':' + std::to_string(index);
}

}  // namespace syncrelay
