# Write what your account has in place of these.
token_arn          = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:lacework-AbCdEf"
execution_role_arn = "arn:aws:iam::123456789012:role/shop-execution"
subnets            = ["subnet-0123456789abcdef0"]
