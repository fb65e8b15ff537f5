#!/usr/bin/env python3
"""Renders the conversations here with the templates published with real models: render.py TEMPLATES_FOLDER

Writes CONVERSATION.FORMAT.expected, which test-chat compares with our own rendering. Date functions are left out, so
that templates fall back to their fixed dates. Conversations that a template refuses get no file.
"""
import glob, os, sys
import jinja2.sandbox

FORMATS = {
    'chatml-qwen2.5': ('Qwen-Qwen2.5-7B-Instruct', '<|endoftext|>', '<|im_end|>'),
    'chatml-qwen3': ('Qwen-Qwen3-0.6B', '<|endoftext|>', '<|im_end|>'),
    'chatml-lfm2': ('LFM2-8B-A1B', '<|startoftext|>', '<|im_end|>'),
    'llama3.1': ('meta-llama-Llama-3.1-8B-Instruct', '<|begin_of_text|>', '<|eot_id|>'),
    'llama3.2': ('meta-llama-Llama-3.2-3B-Instruct', '<|begin_of_text|>', '<|eot_id|>'),
    'llama3.3': ('meta-llama-Llama-3.3-70B-Instruct', '<|begin_of_text|>', '<|eot_id|>'),
    'gemma': ('google-gemma-2-2b-it', '<bos>', '<eos>'),
    'phi3': ('microsoft-Phi-3.5-mini-instruct', '<s>', '<|endoftext|>'),
    'mistral-v3-tekken': ('mistralai-Mistral-Nemo-Instruct-2407', '<s>', '</s>'),
    'granite': ('ibm-granite-granite-3.3-2B-Instruct', '<|end_of_text|>', '<|end_of_text|>'),
}


def refuse(message):
    raise ValueError(message)


def read(path):
    messages = []
    for part in open(path, encoding='utf-8', newline='').read().split('## ')[1:]:
        role, content = part.split('\n', 1)
        messages.append({'role': role, 'content': content.removesuffix('\n')})
    return messages


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    for name, (template, bos, eos) in FORMATS.items():
        source = open(os.path.join(sys.argv[1], template + '.jinja'), encoding='utf-8').read()
        for path in sorted(glob.glob(here + '/*.messages')):
            try:
                text = environment.from_string(source).render(messages=read(path), add_generation_prompt=True, bos_token=bos,
                                                              eos_token=eos, raise_exception=refuse)
            except Exception as error:
                print(name, os.path.basename(path), error)
                continue
            with open(path.removesuffix('messages') + name + '.expected', 'w', encoding='utf-8', newline='') as out:
                out.write(text)


if __name__ == '__main__':
    main()
