"""A tiny language model by the Hugging Face Trainer: `tutelage run -- python hugging_face.py` (needs transformers)."""

import inspect
import json

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

import tutelage
from tutelage.callbacks.transformers import TutelageCallback, resume

run = tutelage.current_run()
torch.manual_seed(run.seed)
text = inspect.getsource(json) * 4 + inspect.getsource(inspect)
codes = torch.tensor([min(byte, 127) for byte in text.encode()])
rows = [{"input_ids": row, "labels": row} for row in codes[: len(codes) // 64 * 64].view(-1, 64)]
held = len(rows) // 10
model = GPT2LMHeadModel(GPT2Config(vocab_size=128, n_positions=64, n_embd=64, n_layer=2, n_head=2))
arguments = TrainingArguments(
    output_dir=str(run.artifact("trainer")),
    max_steps=int(run.settings.get("max_steps", 300)),
    per_device_train_batch_size=16,
    learning_rate=1e-3,
    logging_steps=10,
    eval_strategy="steps",
    eval_steps=20,
    save_steps=50,
    save_total_limit=1,
    report_to="none",
    use_cpu=True,
    disable_tqdm=True,
)
trainer = Trainer(model, arguments, train_dataset=rows[held:], eval_dataset=rows[:held], callbacks=[TutelageCallback()])
trainer.train(**resume())
run.finish(val_loss=trainer.evaluate()["eval_loss"])
