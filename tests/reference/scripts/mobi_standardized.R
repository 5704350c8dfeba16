# Standardised solutions of the reduced ECSI: all, and latent variables only.
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv")
m <- fromJSON("../mobi_lavaan.json")$reduced_syntax
f <- sem(m, d, control = list(rel.tol = 1e-14))
take <- function(type) { s <- standardizedSolution(f, type = type); list(lhs = s$lhs, op = s$op, rhs = s$rhs, std = s$est.std, se = s$se) }
write_json(list(provenance = "lavaan 0.6-14, R 4.2.2: standardizedSolution of sem(reduced ECSI) on mobi; script scripts/mobi_standardized.R", all = take("std.all"), latent = take("std.lv")), "../mobi_standardized.json", auto_unbox = TRUE, digits = 15)
