# Makes mobi_ordinal_groups.json; run from this folder with R 4.2.2, lavaan 0.6-14 and jsonlite.
# Invariance of ordered answers after Wu and Estabrook (2016), theta parameterisation, every level
# written by hand. Groups a and b: rows with odd and even numbers, 125 each (the case `unequal`: with
# numbers that are 0 or 1 modulo 3, or 2; lavaan then weighs groups by n and not by n - 1).
suppressMessages(library(lavaan))
raw <- read.csv("../../../data/mobi.csv")
halves <- ifelse(seq_len(nrow(raw)) %% 2 == 1, "a", "b")
thirds <- ifelse(seq_len(nrow(raw)) %% 3 < 2, "a", "b")
cuts <- function(edges) as.data.frame(lapply(raw, function(x) cut(x, edges, labels = FALSE)))
five <- cuts(c(0, 5, 6, 7, 8, 10))
three <- cuts(c(0, 6, 8, 10))
two <- cuts(c(0, 7, 10))
blocks <- list(Quality = paste0("PERQ", 4:6), Satisfaction = paste0("CUSA", 1:3))
items <- unlist(blocks)
wide <- list(Quality = paste0("PERQ", c(1, 2, 4:6)), Satisfaction = paste0("CUSA", 1:3))

levels <- list(configural = character(), thresholds = "t", loadings = c("t", "l"),
               intercepts = c("t", "l", "i"), strict = c("t", "l", "i", "e"))

# k: thresholds of each item (0 where it is continuous); apart: parameters free in both groups
syntax <- function(equal, k, blocks, apart = character(), path = TRUE) {
  has <- function(x) x %in% equal
  out <- character()
  for (f in names(blocks)) {
    first <- blocks[[f]][1]
    only_two <- all(k[blocks[[f]]] == 1)
    for (v in blocks[[f]]) {
      free <- paste(f, "=~", v) %in% apart
      same <- has("l") && !free && !(only_two && !has("i"))
      load <- if (v == first) "c(1,1)*" else if (same) paste0("c(l_", v, ",l_", v, ")*") else "c(NA,NA)*"
      out <- c(out, paste0(f, " =~ ", load, v))
      if (k[[v]] == 0) {
        mean <- if (has("i")) paste0("c(n_", v, ",n_", v, ")*1") else "c(NA,NA)*1"
        error <- if (has("e")) paste0("c(e_", v, ",e_", v, ")*") else "c(NA,NA)*"
        out <- c(out, paste(v, "~", mean), paste0(v, " ~~ ", error, v))
        next
      }
      kept <- 0
      for (j in seq_len(k[[v]])) {
        tied <- has("t") && !(paste0(v, " | t", j) %in% apart)
        kept <- kept + tied
        label <- if (tied) paste0("c(", v, "_t", j, ",", v, "_t", j, ")*") else "c(NA,NA)*"
        out <- c(out, paste0(v, " | ", label, "t", j))
      }
      loose <- has("t") && kept > 0
      mean <- if (loose && (!has("i") || paste(v, "~ 1") %in% apart)) "c(0,NA)*1" else "c(0,0)*1"
      anchored <- kept > 1 || (kept == 1 && same && (has("i") || !only_two))
      error <- if (loose && anchored && (!has("e") || paste(v, "~~", v) %in% apart)) "c(1,NA)*" else "c(1,1)*"
      out <- c(out, paste(v, "~", mean), paste0(v, " ~~ ", error, v))
    }
    out <- c(out, paste(f, "~", if (has("i")) "c(0,NA)*1" else "c(0,0)*1"))
    out <- c(out, paste(f, "~~ c(NA,NA)*", f))
  }
  if (path) out <- c(out, "Satisfaction ~ Quality")
  paste(out, collapse = "\n")
}

fits <- function(name, data, k, blocks = list(), wanted = names(levels), estimator = "WLSMV", apart = character(),
                 group = halves) {
  if (!length(blocks)) blocks <- get("blocks", globalenv())
  k <- setNames(rep_len(k, length(unlist(blocks))), unlist(blocks))
  ordered <- names(k)[k > 0]
  data <- cbind(data[unlist(blocks)], group = group)
  found <- list()
  for (level in wanted) {
    text <- syntax(levels[[level]], k, blocks, apart)
    run <- function(...) suppressWarnings(lavaan(text, data, ordered = ordered, group = "group",
      group.label = c("a", "b"), estimator = estimator, parameterization = "theta",
      auto.delta = FALSE, ...))
    fit <- if (length(found)) run(slotSampleStats = found[[1]]@SampleStats) else run()
    fit <- run(start = fit, slotSampleStats = fit@SampleStats, optim.force.converged = TRUE,
               control = list(rel.tol = 1e-13, iter.max = 20000))  # nearer to the minimum
    found[[level]] <- fit
    cat(name, level, lavInspect(fit, "converged"), fitMeasures(fit, c("chisq", "df", "chisq.scaled")), "\n")
  }
  table_of <- function(fit) {
    raw <- parameterEstimates(fit, remove.nonfree = FALSE, remove.system.eq = FALSE)
    raw <- raw[raw$op != "~*~" & raw$op != "==", ]
    std <- standardizedSolution(fit)
    std <- std[std$op != "~*~" & std$op != "==", ]
    data.frame(lhs = raw$lhs, op = raw$op, rhs = raw$rhs, group = raw$group, est = raw$est, se = raw$se,
               std = std$est.std, std_se = std$se)
  }
  steps <- list()
  for (at in seq_along(found)[-1]) {
    test <- try(suppressWarnings(lavTestLRT(found[[at]], found[[at - 1]])), silent = TRUE)
    if (inherits(test, "try-error")) next
    steps[[names(found)[at]]] <- list(method = attr(test, "heading"), chisq = test[2, "Chisq diff"],
                                      df = test[2, "Df diff"], p = test[2, "Pr(>Chisq)"])
  }
  list(estimator = estimator, ordered = ordered, thresholds = as.list(k), apart = apart,
       fits = lapply(found, function(fit) list(parameters = table_of(fit),
         fit_measures = as.list(unclass(fitMeasures(fit))))), steps = steps)
}

mixed <- raw
for (v in c("PERQ5", "PERQ6", "CUSA3")) mixed[[v]] <- five[[v]]
uneven <- five
uneven$PERQ4 <- two$PERQ4
ends <- c("loadings", "intercepts")
out <- list(
  provenance = paste("lavaan", packageVersion("lavaan"), "on", R.version.string, "by mobi_ordinal_groups.R"),
  five = fits("five", five, 4),
  three = fits("three", three, 2),
  two = fits("two", two, 1, blocks = wide),
  uneven = fits("uneven", uneven, c(1, 4, 4, 4, 4, 4)),
  mixed = fits("mixed", mixed, c(0, 4, 4, 0, 0, 4)),
  mean_adjusted = fits("mean_adjusted", five, 4, estimator = "WLSM", wanted = ends),
  uls = fits("uls", five, 4, estimator = "ULSMV", wanted = ends),
  partial = fits("partial", five, 4, wanted = c("loadings", "strict"), apart = c("PERQ5 | t2", "Satisfaction =~ CUSA2", "PERQ6 ~ 1", "CUSA3 ~~ CUSA3")),
  unequal = fits("unequal", five, 4, wanted = "configural", group = thirds)
)
writeLines(jsonlite::toJSON(out, digits = 14, auto_unbox = TRUE, na = "null", null = "null"), "../mobi_ordinal_groups.json")
