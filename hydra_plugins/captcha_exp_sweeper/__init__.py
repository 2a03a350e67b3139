"""The adapter through which Hydra finds the sweeper of captcha_exp."""
