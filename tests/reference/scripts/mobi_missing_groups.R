# Saturated means and covariances of groups with 10 % of the answers missing, by lavaan.
# Run in tests/reference: Rscript scripts/mobi_missing_groups.R > mobi_missing_groups.json
# R 4.2.2, lavaan 0.6-14.
suppressMessages({library(lavaan); library(jsonlite)})
data <- read.csv("mobi_survey_data.csv")
items <- c("CUSA1", "CUSA2", "CUSA3", "CUSL1", "CUSL3", "CUSCO")
mask <- read.csv("mobi_missing_mask.csv")[, items] == 1
answers <- data[, items]
answers[mask] <- NA
answers$group <- read.csv("mobi_group.csv")$group
model <- "A =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUSL1 + CUSL3 + CUSCO"
saturated <- function(...) {
  fit <- cfa(model, answers, missing = "fiml", em.h1.iter.max = 50000, em.h1.tol = 1e-13, ...)
  lavInspect(fit, "sampstat", drop.list.single.group = FALSE)
}
of <- function(s) list(mean = as.numeric(s$mean[items]),
                       cov = unname(split(s$cov[items, items], seq_along(items))))
cat(toJSON(list(
  meta = list(program = "lavaan", version = as.character(packageVersion("lavaan")),
              script = "scripts/mobi_missing_groups.R"),
  items = items, all = of(saturated()[[1]]), groups = lapply(saturated(group = "group"), of)),
  auto_unbox = TRUE, digits = 16))
