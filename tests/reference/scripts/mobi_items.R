# Reliability of mobi's constructs item by item, and moments of the items, by psych.
# Rscript tests/reference/scripts/mobi_items.R > tests/reference/mobi_items.json
suppressMessages({library(jsonlite); library(psych)})
x <- read.csv("data/mobi.csv")
starts <- c("IMAG", "CUEX", "PERQ", "PERV", "CUSA", "CUSCO", "CUSL")
x <- x[, unlist(lapply(starts, function(start) grep(paste0("^", start), names(x), value = TRUE)))]
blocks <- list(Image = "IMAG", Expectation = "CUEX", Quality = "PERQ", Value = "PERV",
               Satisfaction = "CUSA", Loyalty = "CUSL")
blocks <- lapply(blocks, function(start) grep(paste0("^", start), names(x), value = TRUE))
consistent <- function(items) {
  a <- suppressWarnings(alpha(x[, items], warnings = FALSE))
  list(raw_alpha = a$total$raw_alpha, std_alpha = a$total$std.alpha, items = items,
       alpha_drop = a$alpha.drop$raw_alpha, r_drop = a$item.stats$r.drop)
}
one_factor <- function(items) {  # share of the sum's variance that a minres factor explains
  l <- as.vector(fa(x[, items], 1, fm = "minres")$loadings)
  sum(l)^2 / (sum(l)^2 + sum(1 - l^2))
}
moments <- describe(x, type = 2)
cat(toJSON(list(
  provenance = list(
    program = paste0("R ", getRversion(), " with psych ", packageVersion("psych")),
    how = "scripts/mobi_items.R: alpha, omega by one minres factor (fa), describe; 250 rows"),
  alpha = lapply(blocks, consistent),
  omega = lapply(Filter(function(items) length(items) > 2, blocks), one_factor),
  describe = list(item = names(x), mean = moments$mean, sd = moments$sd, median = moments$median,
                  skew = moments$skew, kurtosis = moments$kurtosis)
), digits = 15, auto_unbox = TRUE))
