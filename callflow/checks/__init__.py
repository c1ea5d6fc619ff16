"""What `callflow check` looks at: this host, Asterisk's AMI and dialplan, a self-test call, the prompts."""
