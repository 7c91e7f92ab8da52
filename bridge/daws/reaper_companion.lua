-- Hitpoint in REAPER: puts MIDI items at their exact places, and says what lies there then.
--
-- Copy this file into REAPER's Scripts folder (Options, Show REAPER resource path), load it in the action list (Actions, Show action
-- list, New action, Load ReaScript) and run it. It stays at work in the background until it is run a second time or REAPER quits.
--
-- It looks into the folder .hitpoint/reaper of your home for one file, job.txt, does what it says, and answers in a file beside it.
-- Jobs and answers are lines of words between tabs; nothing in them is ever run as a program.

local VERSION = "1"
local MARK = "P_EXT:hitpoint" -- on our items: the key by which a clip is found again and replaced

local windows = reaper.GetOS ():match ("^Win")
local home = os.getenv (windows and "USERPROFILE" or "HOME") or ""
local box = home .. "/.hitpoint/reaper/"
reaper.RecursiveCreateDirectory (box, 0)

local function words (line)
  local out = {}
  for word in (line .. "\t"):gmatch ("([^\t]*)\t") do out[#out + 1] = word end
  return out
end

local function seconds (at) return string.format ("%.12f", at) end

local function track_name (track)
  local _, name = reaper.GetSetMediaTrackInfo_String (track, "P_NAME", "", false)
  return name
end

local function track_of (name)
  for index = 0, reaper.CountTracks (0) - 1 do
    local track = reaper.GetTrack (0, index)
    if track_name (track):lower () == name:lower () then return track end
  end
  local last = reaper.CountTracks (0)
  reaper.InsertTrackAtIndex (last, true)
  local track = reaper.GetTrack (0, last)
  reaper.GetSetMediaTrackInfo_String (track, "P_NAME", name, true)
  return track
end

local function key_of (item)
  local _, key = reaper.GetSetMediaItemInfo_String (item, MARK, "", false)
  return key
end

-- Items that are ours and that `gone` says true to are removed.
local function remove (gone)
  for index = 0, reaper.CountTracks (0) - 1 do
    local track = reaper.GetTrack (0, index)
    for number = reaper.CountTrackMediaItems (track) - 1, 0, -1 do
      local item = reaper.GetTrackMediaItem (track, number)
      local key = key_of (item)
      if key ~= "" and gone (key) then reaper.DeleteTrackMediaItem (track, item) end
    end
  end
end

local function ppq (take, at) return math.floor (reaper.MIDI_GetPPQPosFromProjTime (take, at) + 0.5) end

local function insert (clip)
  local item = reaper.CreateNewMIDIItemInProj (track_of (clip.track), clip.start, clip.stop, false)
  local take = reaper.GetActiveTake (item)
  reaper.SetMediaItemInfo_Value (item, "B_LOOPSRC", 0)
  reaper.GetSetMediaItemInfo_String (item, MARK, clip.key, true)
  reaper.GetSetMediaItemTakeInfo_String (take, "P_NAME", clip.name, true)
  for _, note in ipairs (clip.notes) do
    local first = ppq (take, note.start)
    reaper.MIDI_InsertNote (take, false, false, first, math.max (first + 1, ppq (take, note.stop)), 0, note.pitch, note.velocity, true)
  end
  reaper.MIDI_Sort (take)
  return item
end

-- What lies in an item now, as REAPER says it.
local function told (say, item, clip)
  local take = reaper.GetActiveTake (item)
  local start = reaper.GetMediaItemInfo_Value (item, "D_POSITION")
  local stop = start + reaper.GetMediaItemInfo_Value (item, "D_LENGTH")
  say ("clip", key_of (item), track_name (reaper.GetMediaItem_Track (item)), seconds (start), seconds (stop), clip.name)
  local _, count = reaper.MIDI_CountEvts (take)
  for index = 0, count - 1 do
    local _, _, _, first, last, _, pitch, velocity = reaper.MIDI_GetNote (take, index)
    local from, to = reaper.MIDI_GetProjTimeFromPPQPos (take, first), reaper.MIDI_GetProjTimeFromPPQPos (take, last)
    say ("note", seconds (from), seconds (to), math.floor (pitch), math.floor (velocity))
  end
end

local function place (rows, say)
  local clips, listed, cue, whole = {}, {}, "", false
  for _, row in ipairs (rows) do
    if row[1] == "cue" then cue, whole = row[2], row[3] == "whole" end
    if row[1] == "clip" then
      clips[#clips + 1] = { key = row[2], track = row[3], start = tonumber (row[4]), stop = tonumber (row[5]), name = row[6], notes = {} }
      listed[row[2]] = true
    end
    if row[1] == "note" then
      local note = { start = tonumber (row[2]), stop = tonumber (row[3]), pitch = tonumber (row[4]), velocity = tonumber (row[5]) }
      table.insert (clips[#clips].notes, note)
    end
  end
  remove (function (key) return listed[key] or (whole and key:sub (1, #cue + 1) == cue .. "/") end)
  for _, clip in ipairs (clips) do clip.item = insert (clip) end
  for _, clip in ipairs (clips) do told (say, clip.item, clip) end
end

local function transport (say)
  local state = reaper.GetPlayState ()
  local at = state % 2 == 1 and reaper.GetPlayPosition () or reaper.GetCursorPosition ()
  local beats, unit, bpm = reaper.TimeMap_GetTimeSigAtTime (0, at)
  local rate, drop = reaper.TimeMap_curFrameRate (0)
  say ("transport", seconds (at), state, string.format ("%.9f", bpm), math.floor (beats), math.floor (unit),
    string.format ("%.9f", rate), drop and 1 or 0, reaper.GetProjectName (0, ""))
end

local function markers (say)
  local index = 0
  while true do
    local more, region, start, stop, name = reaper.EnumProjectMarkers3 (0, index)
    if more == 0 then break end
    say (region and "region" or "marker", seconds (start), seconds (stop), (name:gsub ("[\t\r\n]", " ")))
    index = index + 1
  end
end

local function go (rows)
  for _, row in ipairs (rows) do
    if row[1] == "stop" then reaper.OnStopButton () end
    if row[1] == "locate" then reaper.SetEditCurPos (tonumber (row[2]), true, true) end
    if row[1] == "play" then reaper.OnPlayButton () end
  end
end

local acts = {
  hello = function (_, say) say ("hello", VERSION) transport (say) end,
  transport = function (_, say) transport (say) end,
  markers = function (_, say) markers (say) end,
  go = function (rows, say) go (rows) transport (say) end,
  place = function (rows, say)
    reaper.PreventUIRefresh (1)
    reaper.Undo_BeginBlock2 (0)
    local fine, why = pcall (place, rows, say)
    reaper.Undo_EndBlock2 (0, "Hitpoint: place a cue", -1)
    reaper.PreventUIRefresh (-1)
    reaper.UpdateArrange ()
    if not fine then error (why, 0) end
  end,
}

local function answer (id, lines)
  local name = box .. "answer-" .. id .. ".txt"
  local file = io.open (name .. ".part", "wb")
  if not file then return end
  file:write (table.concat (lines, "\n"), "\n")
  file:close ()
  os.rename (name .. ".part", name)
end

local function work ()
  local file = io.open (box .. "job.txt", "rb")
  if not file then return end
  local rows = {}
  for line in file:lines () do rows[#rows + 1] = words ((line:gsub ("\r$", ""))) end
  file:close ()
  os.remove (box .. "job.txt")
  local head, last = rows[1] or {}, rows[#rows] or {}
  local id = (head[3] or ""):match ("^%w+$")
  if head[1] ~= "hitpoint" or not id or last[1] ~= "end" then return end
  local lines = { table.concat ({ "hitpoint", VERSION, id }, "\t") }
  local function say (...)
    local row = { ... }
    for index, word in ipairs (row) do row[index] = tostring (word) end
    lines[#lines + 1] = table.concat (row, "\t")
  end
  if head[2] ~= VERSION then
    say ("error", "this script is version " .. VERSION .. ", Hitpoint speaks version " .. tostring (head[2]))
  else
    local act = acts[head[4] or ""]
    local fine, why = pcall (act or function () error ("nothing is known of " .. tostring (head[4]), 0) end, rows, say)
    if not fine then say ("error", (tostring (why):gsub ("[\t\r\n]", " "))) end
  end
  say ("end")
  answer (id, lines)
end

-- run a second time, it stops the first
local turn = tostring (reaper.time_precise ())
local running = reaper.GetExtState ("hitpoint", "turn") ~= ""
reaper.SetExtState ("hitpoint", "turn", running and "" or turn, false)

local function loop ()
  if reaper.GetExtState ("hitpoint", "turn") ~= turn then return end
  work ()
  reaper.defer (loop)
end

if not running then
  reaper.atexit (function () reaper.SetExtState ("hitpoint", "turn", "", false) end)
  loop ()
end
