-- Logs people in again and again: each thread is one person, whose next login follows the last one.
-- The plan has a line for each: tab-separated id, body, name, value, name, value, ...
-- Who is told to come back does, after that time. Says what came of it as JSON.

local threads = {}

function setup(thread)
  thread:set("number", #threads + 1)
  threads[#threads + 1] = thread
end

local id, text, began = "", "", 0
local pause_ms = 0
-- of the thread, for the one that sums up
seconds, refused, fault = "", 0, ""

local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long ns; } wl_time; int clock_gettime(int clock, wl_time *now);")
local MONOTONIC = 1
local clock = ffi.new("wl_time")

local function now()
  ffi.C.clock_gettime(MONOTONIC, clock)
  return tonumber(clock.s) + tonumber(clock.ns) / 1e9
end

function init(args)
  local lines = {}
  for line in io.lines(args[1]) do
    lines[#lines + 1] = line
  end
  local part = {}
  for word in (lines[(number - 1) % #lines + 1] .. "\t"):gmatch("([^\t]*)\t") do
    part[#part + 1] = word
  end
  local headers = {}
  for i = 3, #part, 2 do
    headers[part[i]] = part[i + 1]
  end
  for name, value in pairs(wrk.headers) do
    headers[name] = headers[name] or value
  end
  id = part[1]
  text = wrk.format("POST", "/api/v1/auth/login", headers, part[2])
end

function delay()
  return pause_ms
end

function request()
  began = now()
  return text
end

function response(status, headers, body)
  pause_ms = 0
  if status == 503 then
    refused = refused + 1
    for name, value in pairs(headers) do
      if name:lower() == "retry-after" then
        pause_ms = tonumber(value) * 1000
      end
    end
    if pause_ms == 0 then
      fault = "a login was refused without a time to come back"
    end
  elseif status ~= 200 then
    fault = "a login was answered " .. status
  elseif not body:find(id, 1, true) then
    fault = "somebody else was let in than " .. id
  else
    seconds = seconds .. string.format("%.4f,", now() - began)
  end
end

function done(summary)
  local all, count, wrong = "", 0, ""
  for _, thread in ipairs(threads) do
    all = all .. thread:get("seconds")
    count = count + thread:get("refused")
    wrong = thread:get("fault") ~= "" and thread:get("fault") or wrong
  end
  local errors = summary.errors
  if errors.connect + errors.read + errors.write + errors.timeout > 0 then
    wrong = "connections of logins broke"
  end
  io.write(string.format(
    '\n{"seconds":[%s],"refused":%d,"fault":"%s"}\n', all:sub(1, -2), count, wrong))
end
