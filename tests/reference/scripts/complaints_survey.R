# Group means of weighted, clustered data, Wilson limits and Welch's test, from base R and survey.
# Rscript tests/reference/scripts/complaints_survey.R > tests/reference/complaints_survey.json
suppressMessages({library(survey); library(jsonlite)})
data <- read.csv("data/mobi.csv")
i <- seq_len(nrow(data)) - 1
data$spoke <- as.integer(i %% 3 == 0)
data$w <- 1 + (i %% 5) / 2
data$firm <- i %% 25
data$group <- ifelse(data$spoke == 0, "no complaint",
                     ifelse(data$CUSCO >= 8, "handled well", "handled badly"))
design <- svydesign(ids = ~firm, weights = ~w, data = data)
means <- svyby(~CUSL1, ~group, design, svymean, covmat = TRUE)
covariance <- vcov(means)
a <- data$CUSL1[data$group == "handled well"]
b <- data$CUSL1[data$group == "no complaint"]
welch <- t.test(a, b, alternative = "greater")
both <- t.test(a, b)
unhappy <- data$CUSA1 <= 6
silent <- c(sum(unhappy & data$spoke == 0), sum(unhappy))
wilson <- prop.test(silent[1], silent[2], correct = FALSE)
cat(toJSON(list(
  provenance = list(
    program = paste("R", getRversion(), "with survey", packageVersion("survey")),
    how = "tests/reference/scripts/complaints_survey.R on data/mobi.csv"),
  groups = means$group, mean = means$CUSL1, se = SE(means), covariance = covariance,
  welch = list(t = welch$statistic, df = welch$parameter, p = welch$p.value,
               lower = both$conf.int[1], upper = both$conf.int[2]),
  wilson = list(silent = silent, lower = wilson$conf.int[1], upper = wilson$conf.int[2])
), digits = 12, auto_unbox = TRUE, pretty = TRUE))
