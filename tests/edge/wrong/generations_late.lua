-- Wrong: the numbers of the tags are those of the time after the answer, so a write during the fill counts as seen.
require("edge.numbers").touched_since = function() return false end
